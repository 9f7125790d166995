// Runs the documents' JavaScript samples as they are printed. Around them only what they leave to the reader: the token, getWallets and
// createPayment; and the documents' host name is answered by the server under test.
import { readFileSync } from 'node:fs';

const server = process.env.COFFER_URL;
const accessToken = process.env.COFFER_TOKEN;
const realFetch = globalThis.fetch;
const here = new URL('.', import.meta.url);
const host = 'https://api.cryptofuse.io';
const fetchHere = (url, options) => realFetch(url.replace(host, server), options);
const sample = (name, result, given) =>
  new Function(...Object.keys(given), `${readFileSync(new URL(name, here), 'utf8')}\nreturn ${result};`)(...Object.values(given));

const chart = await sample('balance_chart.js', 'getBalanceChartData', { fetch: fetchHere, accessToken })();

const paid = [];
const api = async (path) =>
  (await fetchHere(`${host}${path}`, { headers: { Authorization: `Bearer ${accessToken}` } })).json();
await sample('distribute_balance.js', 'distributeBalance', {
  getWallets: async () => (await api('/wallets?limit=100')).result.wallets,
  createPayment: async (payment) => {
    const answer = await fetchHere(`${host}/payments/`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(payment),
    });
    paid.push({ status: answer.status, ...payment, expected: (await answer.json()).amount });
  },
})('USDTERC20', 100);
console.log(JSON.stringify({ chart, paid }));
