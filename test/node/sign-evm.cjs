// A wallet of its own that signs an EVM transaction with ethers. Environment: UNSIGNED (hex), SECRET (hex). Prints what it understood and
// the signed transaction as JSON.
'use strict';
const { Wallet, Transaction } = require('ethers');

const wallet = new Wallet(process.env.SECRET);
const transaction = Transaction.from(process.env.UNSIGNED);
transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
console.log(JSON.stringify({
  from: wallet.address, to: transaction.to, value: `${transaction.value}`, data: transaction.data, nonce: transaction.nonce,
  chainId: Number(transaction.chainId), signed: transaction.serialized, hash: transaction.hash,
}));
