// A real Bitcoin node on regtest for tests: bcoin as a library, with what Bitcoin Core answers where bcoin answers otherwise, and with the
// methods that a test needs to play stranger and miner. It ends when its standard input does, so it never outlives whoever started it.
// Environment: KEY, the password of its RPC. Prints one line, "ready PORT", when it can be asked and strangers have coins to pay with.
'use strict';

// The native parts of these packages need a compiler; the same packages carry the same functions in JavaScript.
const Module = require('module');
const slow = ['mrmr/lib/murmur3.js', 'bsip/lib/siphash.js', 'bstring/lib/base58.js', 'bstring/lib/bech32.js'];
const resolve = Module._resolveFilename;
Module._resolveFilename = function (...args) {
  const file = resolve.apply(this, args);
  return typeof file === 'string' && slow.some(end => file.endsWith(end)) ? file.replace(/\.js$/, '-browser.js') : file;
};

const MATURE_AT = 432; // Segwit is active from here on, and the first coins may be spent.
const COINS = 200; // What strangers start with, each of COIN satoshi.
const COIN = 20000000;
const FEE = 20000;

// Bitcoin Core's spelling of regtest addresses and keys.
const networks = require('bcoin/lib/protocol/networks');
networks.regtest.addressPrefix =
  { pubkeyhash: 0x6f, scripthash: 0xc4, witnesspubkeyhash: 0x03, witnessscripthash: 0x28, bech32: 'bcrt' };
networks.regtest.keyPrefix =
  { privkey: 0xef, xpubkey: 0x043587cf, xprivkey: 0x04358394, xpubkey58: 'tpub', xprivkey58: 'tprv', coinType: 1 };

const bcoin = require('bcoin');
const bweb = require('bweb');
const { FullNode, KeyRing, MTX, TX, Address, Outpoint, Script } = bcoin;
const util = require('bcoin/lib/utils/util');
const node = new FullNode({
  network: 'regtest', memory: true, workers: false, listen: false, only: ['127.0.0.1:1'],
  indexTX: true, indexAddress: true, httpHost: '127.0.0.1', httpPort: 0, apiKey: process.env.KEY, logLevel: 'none',
});
const { chain, mempool, miner, rpc } = node;
const calls = rpc.calls;
const keys = new Map();
const refuse = (code, message) => { throw new bweb.RPCError(code, message); };
const raw = tx => tx.toRaw().toString('hex');
const ids = (ring) => ring.getAddress().toString('regtest');
let stranger;

function makeKey() {
  const ring = KeyRing.generate();
  ring.witness = true;
  keys.set(ids(ring), ring);
  return ring;
}

// ---- As Bitcoin Core answers ----

calls.sendrawtransaction = async ([hex]) => {
  let tx;
  try { tx = TX.fromRaw(String(hex), 'hex'); } catch { refuse(-22, 'TX decode failed'); }
  if (mempool.hasEntry(tx.hash('hex'))) return tx.txid();
  if (await chain.getMeta(tx.hash('hex'))) refuse(-27, 'Transaction outputs already in utxo set');
  const replaced = await replace(tx);
  let missing;
  try {
    missing = await mempool.addTX(tx);
  } catch (e) {
    for (const old of replaced) await mempool.addTX(old);
    refuse(-26, e.reason || e.message);
  }
  if (missing) refuse(-25, 'bad-txns-inputs-missingorspent');
  return tx.txid();
};

/** Replacement by fee (BIP125), which bcoin lacks: takes out what this transaction may replace, and answers it. */
async function replace(tx) {
  const old = new Set(tx.inputs.map(({ prevout }) => mempool.getSpent(prevout.hash, prevout.index)).filter(entry => entry));
  if (old.size === 0) return [];
  if ([...old].some(entry => entry.tx.inputs.every(input => input.sequence >= 0xfffffffe))) refuse(-26, 'txn-mempool-conflict');
  const fee = tx.getFee(await mempool.getCoinView(tx));
  const due = [...old].reduce((sum, entry) => sum + entry.fee, tx.getVirtualSize());
  if (fee < due) refuse(-26, `insufficient fee, rejecting replacement ${tx.txid()}; new fee ${fee} < ${due}`);
  for (const entry of old) if (mempool.hasEntry(entry.tx.hash('hex'))) mempool.evictEntry(entry);
  return [...old].map(entry => entry.tx);
}

const getBlock = calls.getblock;
calls.getblock = async (args, help) => {
  const [hash, verbosity] = args;
  if (!await chain.getEntry(util.revHex(hash))) refuse(-5, 'Block not found');
  return getBlock.call(rpc, [hash, verbosity !== 0, verbosity === 2], help);
};

const getRaw = calls.getrawtransaction;
calls.getrawtransaction = async (args, help) => {
  if (!await node.getMeta(util.revHex(args[0]))) refuse(-5, 'No such mempool or blockchain transaction');
  return getRaw.call(rpc, args, help);
};

// bcoin forgets what a reorg returns when its mempool is empty.
const removeBlock = mempool._removeBlock;
mempool._removeBlock = async function (block, txs) {
  if (this.map.size > 0) return removeBlock.call(this, block, txs);
  for (const tx of txs.slice(1)) {
    try { await this.insertTX(tx, -1); } catch { /* Coinbase spends, and what depends on them, are gone. */ }
  }
  this.rejects.reset();
  this.cache.sync(block.prevBlock);
  await this.cache.flush();
  this.tip = block.prevBlock;
};

// After a reorg that returned a chain of payments, bcoin lists a coin as unspent that is listed already, and stops.
const coinIndex = mempool.coinIndex;
const insert = coinIndex.insert;
coinIndex.insert = function (tx, index) {
  this.remove(tx.hash('hex'), index);
  return insert.call(this, tx, index);
};

// ---- Miner ----

async function mineOn(tip, address, empty) {
  const job = await miner.cpu.createJob(tip, address ? Address.fromString(address, 'regtest') : stranger.getAddress());
  if (empty) {
    job.attempt.items = [];
    job.attempt.fees = 0;
    job.refresh();
  }
  const entry = await chain.add(await job.mineAsync());
  if (!entry) throw new Error('The block was not accepted.');
  return entry;
}

/** mine COUNT [ADDRESS] [EMPTY]: blocks on the tip with what waits, paid to the address; their hashes. */
calls.mine = async ([count = 1, address = null, empty = false]) => {
  const hashes = [];
  for (let i = 0; i < count; i++) hashes.push((await mineOn(chain.tip, address, empty)).rhash());
  return hashes;
};

/** reorg DEPTH LENGTH [DROP]: LENGTH empty blocks replace the last DEPTH; what they held waits again, or is forgotten with DROP. */
calls.reorg = async ([depth, length = depth + 1, drop = false]) => {
  let tip = await chain.getEntry(chain.height - depth);
  for (let i = 0; i < length; i++) tip = await mineOn(tip, ids(makeKey()), true);
  if (drop) await calls.forget([]);
  if (chain.tip.rhash() !== tip.rhash()) throw new Error('The other branch did not win.');
  return tip.rhash();
};

/** forget [TXID]: takes one transaction, or all, out of the mempool, as if it had been replaced or expired. */
calls.forget = async ([txid]) => {
  const entries = txid ? [mempool.getEntry(util.revHex(txid))] : [...mempool.map.values()];
  for (const entry of entries) if (entry && mempool.hasEntry(entry.tx.hash('hex'))) mempool.evictEntry(entry);
  return mempool.map.size;
};

// ---- Stranger ----

async function coinsOf(ring) {
  const coins = await node.getCoinsByAddress(ring.getAddress());
  return coins.filter(coin => !mempool.isSpent(coin.hash, coin.index) && (!coin.coinbase || chain.height - coin.height > 100));
}

async function sign(ring, outputs, { sweep = false, changeless = false } = {}) {
  const tx = new MTX();
  let needed = outputs.reduce((sum, [, value]) => sum + value, FEE), funds = 0;
  const coins = await coinsOf(ring);
  coins.sort((a, b) => Number(a.coinbase) - Number(b.coinbase) || b.value - a.value);
  for (const coin of coins) {
    if (!sweep && funds >= needed) break;
    tx.addCoin(coin);
    funds += coin.value;
  }
  if (funds < needed) throw new Error(`${ids(ring)} has only ${funds} satoshi.`);
  for (const [to, value] of outputs)
    tx.addOutput(/^[0-9a-f]*$/.test(to) ? Script.fromRaw(to, 'hex') : Address.fromString(to, 'regtest'), value);
  if (!changeless && funds - needed > 1000) tx.addOutput(ring.getAddress(), funds - needed);
  tx.sign(ring);
  return tx.toTX();
}

/** key: a new P2WPKH address that this node can spend from. */
calls.key = async () => ids(makeKey());

/** make OUTPUTS [FROM]: the signed bytes of a payment of [[address or script hex, satoshi], ...]; sends nothing. */
calls.make = async ([outputs, from = null]) => raw(await sign(from ? keys.get(from) : stranger, outputs));

/** pay OUTPUTS [FROM]: sends it too and answers its id. FROM: an address of `key`, else a stranger's. */
calls.pay = async ([outputs, from = null]) => calls.sendrawtransaction([await calls.make([outputs, from])]);

/** sweep FROM TO: all that an address has, less the fee, in one output. */
calls.sweep = async ([from, to]) => {
  const ring = keys.get(from), funds = (await coinsOf(ring)).reduce((sum, coin) => sum + coin.value, 0);
  return calls.sendrawtransaction([raw(await sign(ring, [[to, funds - FEE]], { sweep: true, changeless: true }))]);
};

(async () => {
  await node.ensure();
  await node.open();
  stranger = makeKey();
  await calls.mine([MATURE_AT]);
  const each = Array.from({ length: 50 }, () => [ids(stranger), COIN]);
  for (let i = 0; i < COINS / each.length; i++) await calls.pay([each]);
  await calls.mine([1]);
  console.log(`ready ${node.http.http.address().port}`);
})().catch(e => { console.error(e.stack); process.exit(1); });

process.stdin.on('end', () => process.exit(0)).resume();
