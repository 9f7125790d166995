// A client that knows the API by its description alone: types generated from it hold every call below to it when this is compiled; compiled,
// it asks a running server.
import createClient from 'openapi-fetch';
import type { paths } from './api.js';

declare const process: { env: Record<string, string> };

// Errors have two forms; the one that is asked for without asking is JSON.
const api = createClient<paths, 'application/json'>({
  baseUrl: process.env.COFFER_URL,
  headers: { Authorization: `Bearer ${process.env.COFFER_TOKEN}` },
});

const made = await api.POST('/wallets', { body: { name: 'Online Store' } });
if (!made.data) throw new Error(made.error.error.message);
const wallet: string = made.data.result.id;

const paid = await api.POST('/sandbox/deposits', { body: { wallet_id: wallet, currency: 'USDTERC20', amount: '100.00' } });
if (!paid.data) throw new Error(paid.error.error.message);
await api.POST('/sandbox/blocks', { body: { count: 30 } });

const balances = await api.GET('/wallets/balances', { params: { query: { wallet_id: wallet } } });
const line = balances.data?.result.balances[0];

// @ts-expect-error The description requires wallet_id, so what leaves it out does not compile.
const missing = await api.GET('/wallets/balances', { params: { query: {} } });

const refused = await api.GET('/wallets/{wallet_id}', { params: { path: { wallet_id: '550e8400-e29b-41d4-a716-446655440000' } } });
console.log(`${line?.currency} ${line?.amount} ${missing.error?.error.code} ${refused.response.status} ${refused.error?.error.code}`);
