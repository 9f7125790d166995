// A wallet of its own that signs a Tron transaction with tronweb. Environment: RAW_DATA and SECRET (hex), TYPE (the contract's). Prints the
// signed transaction as tronweb writes it.
'use strict';
const { createHash } = require('crypto');
const { utils } = require('tronweb');

const raw = process.env.RAW_DATA;
const transaction = {
  visible: false,
  txID: createHash('sha256').update(Buffer.from(raw, 'hex')).digest('hex'),
  raw_data: utils.deserializeTx.deserializeTransaction(process.env.TYPE, raw),
  raw_data_hex: raw,
};
// It must understand what it signs: what it read has to make the same bytes again.
const pb = utils.transaction.txJsonToPb(transaction);
if (utils.transaction.txPbToRawDataHex(pb).toLowerCase() !== raw) throw new Error('tronweb reads other raw data.');
console.log(JSON.stringify(utils.crypto.signTransaction(process.env.SECRET, transaction)));
