// What a customer's program does, with the two libraries as they come: discover, get a token, use it, introspect it, revoke it.
// Environment: ISSUER, CLIENT_ID, CLIENT_SECRET, API (a URL that needs the scope read). One line of output per step; any failure ends it.
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, API } = process.env;
const inactive = { active: false };

async function withOpenidClient(name, authentication) {
  const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, authentication, {
    algorithm: 'oauth2',
    execute: [client.allowInsecureRequests],
  });
  assert.equal(config.serverMetadata().issuer, ISSUER);
  const token = await client.clientCredentialsGrant(config, { scope: 'read' });
  assert.equal(token.scope, 'read');
  assert.equal(token.expires_in, 36000);
  const answer = await client.fetchProtectedResource(config, token.access_token, new URL(API), 'GET');
  assert.equal(answer.status, 200);
  assert.equal((await client.tokenIntrospection(config, token.access_token)).active, true);
  await client.tokenRevocation(config, token.access_token);
  assert.deepEqual(await client.tokenIntrospection(config, token.access_token), inactive);
  await assert.rejects(client.fetchProtectedResource(config, token.access_token, new URL(API), 'GET'), (error) => {
    assert(error instanceof client.WWWAuthenticateChallengeError);
    assert.equal(error.status, 401);
    assert.equal(error.cause.find((challenge) => challenge.scheme === 'bearer').parameters.error, 'invalid_token');
    return true;
  });
  await assert.rejects(client.clientCredentialsGrant(config, { scope: 'admin' }), (error) => error.error === 'invalid_scope');
  console.log(`openid-client ${name}`);
}

async function withOauth4webapi(name, authentication) {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(ISSUER);
  const server = await oauth.processDiscoveryResponse(
    issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));
  const self = { client_id: CLIENT_ID };
  const token = await oauth.processClientCredentialsResponse(server, self,
    await oauth.clientCredentialsGrantRequest(server, self, authentication, { scope: 'read write' }, insecure));
  assert.equal(token.token_type, 'bearer');
  assert.equal(token.scope, 'read write');
  const answer = await oauth.protectedResourceRequest(token.access_token, 'GET', new URL(API), undefined, undefined, insecure);
  assert.equal(answer.status, 200);
  const look = async () => oauth.processIntrospectionResponse(server, self,
    await oauth.introspectionRequest(server, self, authentication, token.access_token, insecure));
  const active = await look();
  assert.equal(active.active, true);
  assert.equal(active.client_id, CLIENT_ID);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, self, authentication, token.access_token, insecure));
  assert.deepEqual(await look(), inactive);
  await assert.rejects(async () => oauth.processClientCredentialsResponse(server, self,
    await oauth.clientCredentialsGrantRequest(server, self, oauth.ClientSecretBasic('wrong'), {}, insecure)),
  (error) => error.status === 401);
  console.log(`oauth4webapi ${name}`);
}

await withOpenidClient('basic', client.ClientSecretBasic(CLIENT_SECRET));
await withOpenidClient('post', client.ClientSecretPost(CLIENT_SECRET));
await withOauth4webapi('basic', oauth.ClientSecretBasic(CLIENT_SECRET));
await withOauth4webapi('post', oauth.ClientSecretPost(CLIENT_SECRET));
