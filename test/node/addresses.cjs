// The addresses that wallets of the field make of the public test phrase, as JSON: ethers for EVM chains, tronweb for Tron, bcoin for
// Bitcoin (main and regtest). Prints for each the account's extended public key and its first addresses.
'use strict';

// The native parts of these packages need a compiler; the same packages carry the same functions in JavaScript.
process.env.NODE_BACKEND = 'js';
const Module = require('module');
const slow = ['mrmr/lib/murmur3.js', 'bsip/lib/siphash.js', 'bstring/lib/base58.js', 'bstring/lib/bech32.js'];
const resolve = Module._resolveFilename;
Module._resolveFilename = function (...args) {
  const file = resolve.apply(this, args);
  return typeof file === 'string' && slow.some(end => file.endsWith(end)) ? file.replace(/\.js$/, '-browser.js') : file;
};

// Bitcoin Core's spelling of regtest addresses and keys.
const networks = require('bcoin/lib/protocol/networks');
networks.regtest.addressPrefix =
  { pubkeyhash: 0x6f, scripthash: 0xc4, witnesspubkeyhash: 0x03, witnessscripthash: 0x28, bech32: 'bcrt' };
networks.regtest.keyPrefix =
  { privkey: 0xef, xpubkey: 0x043587cf, xprivkey: 0x04358394, xpubkey58: 'tpub', xprivkey58: 'tprv', coinType: 1 };

const { HDNodeWallet } = require('ethers');
const { TronWeb } = require('tronweb');
const HD = require('bcoin/lib/hd');
const KeyRing = require('bcoin/lib/primitives/keyring');

const PHRASE = 'test test test test test test test test test test test junk';
const count = [...Array(20).keys()];

const evm = HDNodeWallet.fromPhrase(PHRASE, undefined, "m/44'/60'/0'");
const tron = HDNodeWallet.fromPhrase(PHRASE, undefined, "m/44'/195'/0'");
const bitcoin = (network, coin) => {
  const account = HD.fromMnemonic(new HD.Mnemonic(PHRASE)).deriveAccount(84, coin, 0);
  return {
    xpub: account.toPublic().xpubkey(network),
    addresses: count.map(i => {
      const ring = KeyRing.fromPublic(account.derive(0).derive(i).publicKey);
      ring.witness = true;
      return ring.getAddress().toString(network);
    }),
  };
};

console.log(JSON.stringify({
  evm: { xpub: evm.neuter().extendedKey, addresses: count.map(i => evm.derivePath(`0/${i}`).address) },
  tron: { xpub: tron.neuter().extendedKey, addresses: count.map(i => TronWeb.fromMnemonic(PHRASE, `m/44'/195'/0'/0/${i}`).address) },
  main: bitcoin('main', 0),
  regtest: bitcoin('regtest', 1),
}));
