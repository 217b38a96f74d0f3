import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createApiClient } from '../../lib/cli/api-client.ts';
import { authorisationFor } from '../../lib/cli/authorise.ts';

const deployed = 'https://abc123.execute-api.eu-west-1.amazonaws.com';
const local = 'http://127.0.0.1:8081';
const request = (server: string) => ({ method: 'GET', url: new URL(`${server}/v1/jobs?a=b`), headers: { accept: 'x' } });

const servers: Server[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close();
});

async function serve(status: number, headers: Readonly<Record<string, string>>, body: string) {
  const seen: IncomingMessage[] = [];
  const server = createServer((message, answer) => {
    seen.push(message);
    answer.writeHead(status, headers).end(body);
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('a request', () => {
  test('to a run on this machine is sent as it is', async () => {
    expect(await authorisationFor(local, {})(request(local))).toEqual({ accept: 'x' });
  });

  test('to API Gateway is signed for its region with the credentials of the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_SESSION_TOKEN', 'session');
    const headers = await authorisationFor(deployed, {})(request(deployed));
    expect(headers['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/execute-api\/aws4_request, SignedHeaders=[^,]*host[^,]*, Signature=[0-9a-f]{64}$/,
    );
    expect(headers).toMatchObject({ accept: 'x', 'x-amz-security-token': 'session' });
  });

  test('to a host of one’s own is signed where SLUICE_AUTH says so, for the region of the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    const headers = await authorisationFor('https://sluice.example.org', { SLUICE_AUTH: 'iam', AWS_REGION: 'eu-north-1' })(
      request('https://sluice.example.org'),
    );
    expect(headers['authorization']).toContain('/eu-north-1/execute-api/');
    expect(() => authorisationFor('https://sluice.example.org', { SLUICE_AUTH: 'iam' })).toThrow('for which region');
  });

  test('carries a token where there is one, and nothing where that is wanted', async () => {
    expect(await authorisationFor(deployed, { SLUICE_TOKEN: 't' })(request(deployed))).toMatchObject({ authorization: 'Bearer t' });
    expect(await authorisationFor(deployed, { SLUICE_AUTH: 'none' })(request(deployed))).toEqual({ accept: 'x' });
    expect(() => authorisationFor(deployed, { SLUICE_AUTH: 'basic' })).toThrow('SLUICE_AUTH is basic');
    expect(() => authorisationFor('http://sluice.example.org', { SLUICE_TOKEN: 't' })).toThrow('a token is not sent');
  });

  test('that cannot be signed says how to log in', async () => {
    const { createRequestSigner } = await import('../../lib/adapters/aws-sdk/sign-requests.ts');
    const sign = createRequestSigner('eu-west-1', () => Promise.reject(new Error('Could not load credentials from any providers')));
    await expect(sign(request(deployed))).rejects.toMatchObject({ code: 'SLUICE-CREDENTIALS-MISSING' });
  });
});

describe('a server', () => {
  test.each([401, 403])('that answers %s forbids it', async (status) => {
    const { url } = await serve(status, {}, '{"message":"Forbidden"}');
    await expect(createApiClient(url, authorisationFor(url, {})).get('/jobs')).rejects.toMatchObject({ code: 'SLUICE-SERVER-FORBIDS' });
  });

  test('that sends elsewhere is not followed: a token is for whoever was named', async () => {
    const elsewhere = await serve(200, {}, '{}');
    const { url, seen } = await serve(302, { location: elsewhere.url }, '');
    const client = createApiClient(url, authorisationFor(url, { SLUICE_TOKEN: 't' }));
    await expect(client.get('/jobs')).rejects.toMatchObject({ code: 'SLUICE-SERVER-ANSWER' });
    expect(seen[0]!.headers.authorization).toBe('Bearer t');
    expect(elsewhere.seen).toEqual([]);
  });
});
