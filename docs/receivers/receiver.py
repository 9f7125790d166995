"""Takes webhooks of Coffer and verifies them (Standard Webhooks 1.0.0), with nothing but Python:

    WEBHOOK_SECRET=whsec_... PORT=3000 python3 receiver.py
"""
import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
done = set()  # In your database, in the transaction that acts on the event.


def verified(id, timestamp, signatures, body):
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False  # Old: somebody sends again what he has overheard.
    signed = f"{id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, one) for one in signatures.split(" "))


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        id = self.headers.get("webhook-id", "")
        good = verified(id, self.headers.get("webhook-timestamp", ""), self.headers.get("webhook-signature", ""), body)
        if good and id not in done:  # The same event may come again, always with the same id.
            done.add(id)
            print(json.loads(body)["type"], id, flush=True)
        self.send_response(204 if good else 400)
        self.end_headers()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Receiver).serve_forever()
