// Verifies deliveries with the library standardwebhooks: each line of DELIVERIES with each secret of SECRETS. Prints one line per delivery: the
// secrets that it verifies with, by their numbers, then whether a changed body, id, time and secret are refused.
import { Webhook } from 'standardwebhooks';

const secrets = JSON.parse(process.env.SECRETS);
const verifies = (secret, body, headers) => {
  try {
    return JSON.stringify(new Webhook(secret).verify(body, headers)) === JSON.stringify(JSON.parse(body));
  } catch {
    return false;
  }
};

for (const { id, timestamp, signature, body } of JSON.parse(process.env.DELIVERIES)) {
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  const good = secrets.map((secret, i) => (verifies(secret, body, headers) ? i : -1)).filter((i) => i >= 0);
  const secret = secrets[good[0]];
  const forged = [
    verifies(secret, body.replace('{', '{ '), headers),
    verifies(secret, body, { ...headers, 'webhook-id': `${id}0` }),
    verifies(secret, body, { ...headers, 'webhook-timestamp': `${Number(timestamp) - 1}` }),
    verifies('whsec_' + Buffer.alloc(32).toString('base64'), body, headers),
  ];
  console.log(`${good.join(',')} ${forged.includes(true) ? 'forged' : 'sound'}`);
}
