// Takes webhooks of Coffer and verifies them with the library standardwebhooks:
//   npm install standardwebhooks
//   WEBHOOK_SECRET=whsec_... PORT=3000 npx tsx receiver.ts
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

type CofferEvent = { type: string; timestamp: string; data: Record<string, unknown> };

const webhook = new Webhook(process.env.WEBHOOK_SECRET!);
const done = new Set<string>(); // In your database, in the transaction that acts on the event.

createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    // The bytes as they came: what was parsed and written anew has another signature.
    const body = Buffer.concat(parts).toString('utf8');
    const headers = request.headers as Record<string, string>;
    let event: CofferEvent;
    try {
      event = webhook.verify(body, headers) as CofferEvent;
    } catch {
      response.writeHead(400).end();
      return;
    }

    const id = headers['webhook-id'] ?? '';
    if (!done.has(id)) { // The same event may come again, always with the same id.
      done.add(id);
      console.log(event.type, id);
    }
    response.writeHead(204).end();
  });
}).listen(Number(process.env.PORT ?? '3000'), '127.0.0.1');
