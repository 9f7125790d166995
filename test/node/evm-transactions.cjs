// Signed payments as ethers writes them, as JSON: what they are made of, the bytes to sign, the signed bytes, the id.
'use strict';
const { Wallet, Transaction, Interface, keccak256, toBeHex } = require('ethers');

const wallet = new Wallet('0x' + '46'.repeat(32));
const transfer = new Interface(['function transfer(address,uint256)']);
const token = '0xdAC17F958D2ee523a2206206994597C13D831ec7';

const lines = [];
for (let i = 0; i < 60; i++) {
  // Sizes of every length, from nothing to 128 bits; addresses from hashes.
  const word = BigInt(keccak256(toBeHex(i + 1, 32)));
  const small = bits => word & ((1n << BigInt(bits)) - 1n);
  const address = require('ethers').getAddress(keccak256(toBeHex(1000 + i, 32)).slice(0, 42));
  const amount = small(1 + (i * 2)) + 1n;
  const isToken = i % 2 === 1;
  const transaction = Transaction.from({
    type: 2,
    chainId: i % 3 === 0 ? 1 : 31337 + i,
    nonce: i === 0 ? 0 : Number(small(i)) % 1000000,
    maxPriorityFeePerGas: small(i % 40),
    maxFeePerGas: small(i % 40) + small(30),
    gasLimit: 21000 + i * 1000,
    to: isToken ? token : address,
    value: isToken ? 0 : amount,
    data: isToken ? transfer.encodeFunctionData('transfer', [address, amount]) : '0x',
  });
  const unsigned = transaction.unsignedSerialized;
  transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
  lines.push({
    chainId: Number(transaction.chainId), nonce: transaction.nonce, priority: `${transaction.maxPriorityFeePerGas}`,
    fee: `${transaction.maxFeePerGas}`, gas: Number(transaction.gasLimit), address, asset: isToken ? token : null, amount: `${amount}`,
    unsigned, signed: transaction.serialized, hash: transaction.hash,
  });
}

console.log(JSON.stringify({ from: wallet.address, lines }));
