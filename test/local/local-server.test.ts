import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { startLocalServer, type LocalServer } from '../../lib/local/local-server.ts';
import { startedWorld } from '../api/api-world.ts';
import { job } from '../checkpoint/fixture.ts';

const opened: (LocalServer | Server)[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function serve(port = 0, fetch: (request: Request) => Response = () => new Response('{}')): Promise<LocalServer> {
  const server = await startLocalServer({ fetch, port });
  opened.push(server);
  return server;
}

/** Bytes as they are, because fetch refuses what Flink's client sends. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
    socket.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}

describe('the port', () => {
  test('is the next free one where the wanted one is taken', async () => {
    const first = await serve();
    const second = await serve(first.port);
    expect(second.port).toBeGreaterThan(first.port);
    expect(second.url).toBe(`http://127.0.0.1:${second.port}`);
  });

  test('that cannot be had is a coded error', async () => {
    await expect(startLocalServer({ fetch: () => new Response(), port: 65_536 })).rejects.toMatchObject({ code: 'SLUICE-PORT' });
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(65_535, '127.0.0.1', resolve).once('error', () => resolve()));
    opened.push(taken);
    await expect(startLocalServer({ fetch: () => new Response(), port: 65_535 })).rejects.toMatchObject({ code: 'SLUICE-PORT' });
  });

  test('is of the loopback interface only', async () => {
    const { port } = await serve();
    const listening = await exchange(port, `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    expect(listening).toContain('200 OK');
  });
});

describe('a request', () => {
  test('for another host is refused, whatever it asks', async () => {
    const { port } = await serve();
    const answer = await exchange(port, 'GET /jobs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    expect(answer).toContain('403 Forbidden');
    expect(answer).toContain('SLUICE-API-FORBIDDEN');
  });

  test('that changes something is refused where it comes from a page of another site', async () => {
    const { url } = await serve();
    const post = (origin: string) => fetch(url, { method: 'POST', body: '{}', headers: { origin } });
    expect((await post('https://evil.example')).status).toBe(403);
    expect((await post('null')).status).toBe(403);
    expect((await post('http://localhost:3000')).status).toBe(200);
  });

  test('with a body on GET is answered, and the connection goes on', async () => {
    const world = await startedWorld();
    const server = await startLocalServer({ fetch: world.app.fetch, port: 0 });
    opened.push(server);
    const get = (path: string, close: boolean) =>
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: 2\r\n${close ? 'Connection: close\r\n' : ''}\r\n{}`;
    const answer = await exchange(server.port, get('/v1/jobs/overview', false) + get(`/v1/jobs/${job}/status`, true));
    expect(answer.match(/200 OK/g)).toHaveLength(2);
    expect(answer).toContain('"pending-operators":0');
    expect(answer).toContain('{"status":"RUNNING"}');
  });
});

test('close ends connections that are open', async () => {
  const server = await startLocalServer({ fetch: () => new Response('{}'), port: 0 });
  await (await fetch(server.url)).text();
  await server.close();
  await expect(fetch(server.url)).rejects.toThrow();
});
