// A wallet of its own that signs a PSBT with bitcoinjs-lib. Environment: PSBT (base64), ACCOUNT (the account's extended private key; the
// paths in the PSBT count from it). Prints as JSON what it understood, the PSBT with partial signatures, the
// PSBT made final, and the transaction.
'use strict';
const { Psbt, networks } = require('bitcoinjs-lib');
const { HDNodeWallet } = require('ethers');

const psbt = Psbt.fromBase64(process.env.PSBT, { network: networks.regtest });
const account = HDNodeWallet.fromExtendedKey(process.env.ACCOUNT);
const understood = {
  inputs: psbt.txInputs.map((input, i) => ({
    txId: Buffer.from(input.hash).reverse().toString('hex'), index: input.index, sequence: input.sequence,
    value: psbt.data.inputs[i].witnessUtxo.value, path: psbt.data.inputs[i].bip32Derivation[0].path,
  })),
  outputs: psbt.txOutputs.map(({ script, value }) => ({ script: script.toString('hex'), value })),
};

psbt.data.inputs.forEach((input, i) => {
  const [{ path, pubkey }] = input.bip32Derivation;
  const key = account.derivePath(path.replace(/^m\//, '')).signingKey;
  psbt.signInput(i, {
    publicKey: pubkey,
    sign: hash => {
      const { r, s } = key.sign(hash);
      return Buffer.from(r.slice(2) + s.slice(2), 'hex');
    },
  });
});
const partial = psbt.toBase64();
psbt.finalizeAllInputs();
const transaction = psbt.extractTransaction(true);
console.log(JSON.stringify({
  ...understood, partial, final: psbt.toBase64(), transaction: transaction.toHex(), txId: transaction.getId(), fee: psbt.getFee(),
  vsize: transaction.virtualSize(),
}));
