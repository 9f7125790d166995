// Signed payments as tronweb writes them, as JSON: what they are made of, the raw data, the id, the signed transaction.
'use strict';
const { TronWeb, utils } = require('tronweb');
const { keccak256, toBeHex, AbiCoder } = require('ethers');

const secret = '46'.repeat(32);
const from = TronWeb.address.fromPrivateKey(secret);
const hex = address => TronWeb.address.toHex(address);

const lines = [];
for (let i = 0; i < 40; i++) {
  // Sizes of every length; addresses from hashes.
  const word = BigInt(keccak256(toBeHex(i + 1, 32)));
  const small = bits => word & ((1n << BigInt(bits)) - 1n);
  const address = TronWeb.address.fromHex('41' + keccak256(toBeHex(1000 + i, 32)).slice(2, 42));
  const token = TronWeb.address.fromHex('41' + keccak256(toBeHex(2000 + (i % 3), 32)).slice(2, 42));
  const isToken = i % 2 === 1;
  const amount = small(1 + (isToken ? i * 3 : i)) + 1n;
  const height = 70000000 + i * 12345;
  const block = toBeHex(height, 8).slice(2) + keccak256(toBeHex(3000 + i, 32)).slice(18);
  const data = isToken ? 'a9059cbb' + AbiCoder.defaultAbiCoder().encode(['address', 'uint256'], ['0x' + hex(address).slice(2), amount]).slice(2) : '';
  const type = isToken ? 'TriggerSmartContract' : 'TransferContract';
  const value = isToken
    ? { owner_address: hex(from), contract_address: hex(token), data }
    : { owner_address: hex(from), to_address: hex(address), amount: Number(amount) };
  const transaction = {
    visible: false,
    raw_data: {
      contract: [{ parameter: { value, type_url: `type.googleapis.com/protocol.${type}` }, type }],
      ref_block_bytes: block.slice(12, 16), ref_block_hash: block.slice(16, 32),
      expiration: 1790000000000 + i, timestamp: 1789999940000 - i, ...(isToken ? { fee_limit: 1000000 * (i + 1) } : {}),
    },
  };
  const pb = utils.transaction.txJsonToPb(transaction);
  transaction.txID = utils.transaction.txPbToTxID(pb).replace(/^0x/, '');
  const rawData = utils.transaction.txPbToRawDataHex(pb);
  const signed = utils.crypto.signTransaction(secret, transaction);
  pb.addSignature(Buffer.from(signed.signature[0].replace(/^0x/, ''), 'hex'));
  lines.push({
    address, asset: isToken ? token : null, amount: `${amount}`, height, block, expiration: transaction.raw_data.expiration,
    timestamp: transaction.raw_data.timestamp, feeLimit: transaction.raw_data.fee_limit ?? 0,
    rawData: rawData.toLowerCase(), txId: transaction.txID, signed: Buffer.from(pb.serializeBinary()).toString('hex'),
  });
}

console.log(JSON.stringify({ from, lines }));
