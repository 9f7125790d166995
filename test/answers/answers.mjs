// Checks answers that tests have seen against the description of the API. Called with the document's and the answers' file; each line of
// the latter is one answer with its question: {"test", "method", "path", "sent", "status", "type", "headers", "body"}; "body" is null unless
// it is JSON. Prints what does not fit, and ends with 1 if anything does not.
import { readFileSync, createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const [documentFile, answersFile] = process.argv.slice(2);
const document = JSON.parse(readFileSync(documentFile, 'utf8'));
const shownMax = 40;

// A client must bear members that it does not know; a test need not: what an answer has beside the description is a fault of one of them.
const close = (schema) => {
  if (schema === null || typeof schema !== 'object') return;
  if (schema.properties && schema.additionalProperties === undefined) schema.additionalProperties = false;
  Object.values(schema).forEach(close);
};
close(document.components.schemas);

const ajv = new Ajv2020({ strict: false, validateFormats: true });
// Headers and parameters are texts whatever they stand for.
const ajvOfTexts = new Ajv2020({ strict: false, validateFormats: true, coerceTypes: true });
for (const one of [ajv, ajvOfTexts]) addFormats(one).addSchema({ $id: 'coffer:/document', ...document });
const validators = new Map();
const validator = (pointer, by = ajv) => {
  const name = `${pointer} ${by === ajv}`;
  const schema = { type: 'object', properties: { answer: { $ref: `coffer:/document${encodeURI(pointer)}` } } };
  if (!validators.has(name)) validators.set(name, by.compile(schema));
  return validators.get(name);
};
const mismatch = (pointer, value, by = ajv) => {
  const validate = validator(pointer, by);
  return validate({ answer: value }) ? null : by.errorsText(validate.errors, { dataVar: '' }).replaceAll('/answer', 'answer');
};
const escaped = (name) => name.replaceAll('~', '~0').replaceAll('/', '~1');
const at = (pointer) => pointer.slice(2).split('/').reduce((within, step) => within[step.replaceAll('~1', '/').replaceAll('~0', '~')], document);
const resolve = (pointer, value) => value.$ref ? [value.$ref, at(value.$ref)] : [pointer, value];

const routes = Object.keys(document.paths).map((path) => ({
  path,
  variables: (path.match(/\{/g) ?? []).length,
  expression: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '[^/]+')}/?$`, 'i'),
})).sort((a, b) => a.variables - b.variables);

// Tests of the feed's order write events whose data says nothing.
const inventors = /\bEventsFeedTests\b/;

// What cannot be read as HTTP (a NUL in the path, a line too long) is refused with a bare status before anything of ours runs.
const unread = (answer) => [400, 414, 431].includes(answer.status) && answer.type === '' && answer.headers.connection === 'close';

const fault = (answer) => {
  if (unread(answer)) return null;
  const [path, query] = answer.path.split('?');
  if (inventors.test(answer.test) && answer.status === 200 && /^\/events\/?$/.test(path)) {
    const told = JSON.parse(answer.body);
    told.events.forEach((one) => { one.data = { endpoint_id: '00000000-0000-0000-0000-000000000000' }; });
    answer.body = JSON.stringify(told);
  }
  const route = routes.find((one) => one.expression.test(path));
  const pointer = route && `#/paths/${escaped(route.path)}/${answer.method.toLowerCase()}`;
  const operation = route && document.paths[route.path][answer.method.toLowerCase()];
  if (!operation) {
    // The dashboard's pages and files, which are no part of the API; or nothing there, or not with this method.
    if (answer.type.startsWith('text/html') || (answer.status < 400 && !answer.type.includes('json'))) return null;
    if (answer.status < 400) return 'is not described';
    if (answer.method === 'HEAD') return null;
    return general(answer) ?? content(answer, `#/components/responses/${/^\/o(\/|$)/.test(path) ? 'OAuthInvalid' : 'BadRequest'}`);
  }
  const response = operation.responses[answer.status];
  if (!response) return `status ${answer.status} is not described for ${answer.method} ${route.path}`;
  const [place, described] = resolve(`${pointer}/responses/${answer.status}`, response);
  return general(answer) ?? headers(answer, place, described.headers ?? {}) ?? limits(answer, operation) ?? content(answer, place)
    ?? (answer.status < 300 ? question(answer, pointer, operation, query) : null);
};

// What holds for every answer. An error below /o/ has no place for the id.
const general = (answer) => {
  const id = answer.headers['request-id'];
  if (!id) return 'has no Request-Id';
  if (answer.status < 400 || answer.body === null) return answer.status < 400 ? null : 'is an error without a JSON body';
  const value = JSON.parse(answer.body);
  const named = value.error?.request_id ?? value.request_id;
  return named === undefined || named === id ? null : 'names another request than its header';
};

// Whoever is known is told what he may still ask.
const limits = (answer, operation) => {
  if (answer.status >= 400 || !operation.security.some((one) => one.apiKey || one.oauth)) return null;
  const { RateLimit, 'RateLimit-Policy': policy } = document.components.headers;
  return headers(answer, '#/components', { RateLimit, 'RateLimit-Policy': policy });
};

const headers = (answer, place, described) => {
  for (const [name, one] of Object.entries(described)) {
    const value = answer.headers[name.toLowerCase()];
    const [pointer, header] = resolve(`${place}/headers/${name}`, one);
    if (value === undefined && header.required) return `has no header ${name}`;
    const wrong = value === undefined ? null : mismatch(`${pointer}/schema`, value, ajvOfTexts);
    if (wrong) return `header ${name}: ${wrong}`;
  }
  return null;
};

const content = (answer, place) => {
  const described = at(place).content;
  if (!described) return answer.type === '' ? null : 'has a body, and none is described';
  const type = answer.type.split(';')[0];
  if (!described[type]) return `type "${type}" is not described`;
  return answer.body === null ? null : mismatch(`${place}/content/${escaped(type)}/schema`, JSON.parse(answer.body));
};

// What the server took must be described as well.
const question = (answer, pointer, operation, query) => {
  const parameters = new Map((operation.parameters ?? []).map((one, i) => resolve(`${pointer}/parameters/${i}`, one))
    .filter(([, one]) => one.in === 'query').map(([place, one]) => [one.name, `${place}/schema`]));
  for (const [name, value] of new URLSearchParams(query ?? '')) {
    if (!parameters.has(name)) return `parameter ${name} is not described`;
    const wrong = mismatch(parameters.get(name), value, ajvOfTexts);
    if (wrong) return `parameter ${name}: ${wrong}`;
  }
  if (!answer.sent) return null;
  if (!operation.requestBody) return 'a body was sent, and none is described';
  const [place, body] = resolve(`${pointer}/requestBody`, operation.requestBody);
  if (!body.content['application/json']) return null;
  const wrong = mismatch(`${place}/content/${escaped('application/json')}/schema`, JSON.parse(answer.sent));
  return wrong ? `what was sent: ${wrong}` : null;
};

let count = 0;
const faults = new Map();
for await (const line of createInterface({ input: createReadStream(answersFile) })) {
  const answer = JSON.parse(line);
  count++;
  let found;
  try {
    found = fault(answer);
  } catch (error) {
    found = `cannot be read: ${error.message}`;
  }
  if (found) faults.set(`${answer.method} ${answer.path.split('?')[0].slice(0, 200).replace(/[0-9a-f-]{36}/g, '{id}')} ${answer.status}: ${found}`,
    `${answer.test.slice(0, 200)}: ${(answer.path.split('?')[1] ?? '').slice(0, 200)} ${(answer.sent ?? '').slice(0, 200)} -> ${(answer.body ?? '').slice(0, 300)}`);
}
[...faults].slice(0, shownMax).forEach(([what, where]) => console.log(`${what}\n    ${where}`));
console.log(`${count} answers, ${faults.size} faults`);
process.exitCode = faults.size === 0 ? 0 : 1;
