"""Runs the documents' Python samples as they are printed. Around them only what they leave to the reader: the imports, the token and
fetch_balances; and the documents' host name is answered by the server under test."""
import asyncio
import os
import pathlib
import time

import requests

server, access_token = os.environ["COFFER_URL"], os.environ["COFFER_TOKEN"]
real_get = requests.get
requests.get = lambda url, **more: real_get(url.replace("https://api.cryptofuse.io", server), **more)
calls = []


async def fetch_balances(params):
    calls.append(params)
    answer = requests.get("https://api.cryptofuse.io/user/balances/", params=params, headers={"Authorization": f"Bearer {access_token}"})
    answer.raise_for_status()
    return answer.json()


here = pathlib.Path(__file__).parent
exec((here / "analyze_volume.py").read_text())
exec((here / "balance_cache.py").read_text())
asyncio.run(analyze_transaction_volume())


async def ask_twice():
    cache = BalanceCache()
    for currency in (None, None, "USDTERC20", "USDTERC20"):
        answer = await cache.get_balance(currency)
        print("cached:", currency, [b["currency"] for b in answer["balances"]])
    print("fetched:", len(calls))


asyncio.run(ask_twice())
