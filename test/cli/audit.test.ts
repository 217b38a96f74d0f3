/** `sluice audit`, and who the command line says it is, at a server that is as a deployed one. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryAuditLog } from '../../lib/adapters/memory/audit-log.ts';
import { authoriserOf } from '../../lib/cli/authorise.ts';
import { startLocalServer, type LocalServer } from '../../lib/local/local-server.ts';
import type { AuditLog } from '../../lib/ports/audit-log.ts';
import { startedWorld, type ApiWorld } from '../api/api-world.ts';
import { job } from '../checkpoint/fixture.ts';
import { writtenChain } from '../contract/audit-log.contract.ts';
import { sluice, TestIo } from './test-io.ts';

let world: ApiWorld;
let server: LocalServer;
let log: MemoryAuditLog;

beforeEach(async () => {
  world = await startedWorld();
  log = new MemoryAuditLog();
  world.auditLog = log;
  server = await startLocalServer({ fetch: (request) => world.app.fetch(request), port: 0 });
});
afterEach(() => server.close());

const audit = (...args: readonly string[]) => sluice('audit', 'counting', '--server', server.url, ...args);

describe('audit', () => {
  test('shows who asked for what, and how it went', async () => {
    expect((await audit()).out).toBe('no changes\n');
    await world.post(`/jobs/${job}/checkpoints`, {});
    const lines = (await audit()).out.split('\n');
    expect(lines[0]).toMatch(new RegExp(`^1  \\S+Z  unknown  POST /jobs/${job}/checkpoints \\{\\}$`));
    expect(lines[1]).toMatch(/^2  \S+Z  1 was answered 202, job RUNNING$/);
    const json = (await audit('--json')).out.trimEnd().split('\n');
    expect(json.map((line) => (JSON.parse(line) as { number: number }).number)).toEqual([1, 2]);
  });

  test('verifies a chain of many pages, and says where it ends and what has no outcome', async () => {
    const records = await writtenChain(log, job, 250);
    const { exitCode, out } = await audit('--verify', '--anchor', `7:${records[6]!.hash}`);
    expect(exitCode).toBe(0);
    expect(out).toContain(`250 records, whole up to 250:${records[249]!.hash}\nwithout an outcome: 1, 2,`);
    expect(JSON.parse((await audit('--verify', '--json')).out)).toMatchObject({ records: 250, whole: { number: 250 } });
  });

  test('names the first record that is not as it was written', async () => {
    const records = await writtenChain(log, job, 120);
    const spoilt = (change: (record: (typeof records)[number]) => readonly (typeof records)[number][]): AuditLog => ({
      head: (id) => log.head(id),
      create: (record) => log.create(record),
      read: async (id, after, max) => (await log.read(id, after, max)).flatMap(change),
    });
    world.auditLog = spoilt((record) => [record.number === 110 ? { ...record, who: 'nobody' } : record]);
    expect(await audit('--verify')).toMatchObject({ exitCode: 1, err: expect.stringContaining('SLUICE-AUDIT-BROKEN: record 110 was edited') });
    world.auditLog = spoilt((record) => (record.number === 42 ? [] : [record]));
    expect((await audit('--verify')).err).toContain('record 42 is missing');
    world.auditLog = spoilt((record) => (record.number > 117 ? [] : [record]));
    expect((await audit('--verify')).err).toContain('record 118 is missing');
    world.auditLog = log;
    expect((await audit('--verify', '--anchor', `3:${'0'.repeat(64)}`)).err).toContain('record 3 was replaced');
  });

  test('takes no anchor that is none', async () => {
    expect(await audit('--verify', '--anchor', '3')).toMatchObject({ exitCode: 2, err: expect.stringContaining('SLUICE-USAGE') });
  });
});

describe('at a gateway', () => {
  let gateway: Server;
  let url: string;
  let asked: { readonly path: string; readonly headers: IncomingHttpHeaders }[];

  beforeEach(async () => {
    asked = [];
    gateway = createServer(({ headers, url: path = '' }, response) => {
      asked.push({ path, headers });
      response.writeHead(headers.authorization === undefined ? 403 : 200, { 'content-type': 'application/json' });
      response.end(headers.authorization === undefined ? '{"message":"Forbidden"}' : '{"jobs":[]}');
    });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    gateway.close();
  });

  test('a token is sent, and without one the refusal says what is wanted', async () => {
    expect(await sluice('list', '--server', url)).toMatchObject({ exitCode: 1, err: expect.stringContaining('SLUICE-SERVER-REFUSED') });
    const io = new TestIo();
    io.env = { SLUICE_API_TOKEN: 'a.b.c' };
    expect((await io.run('list', '--server', url)).exitCode).toBe(0);
    expect(asked.at(-1)!.headers.authorization).toBe('Bearer a.b.c');
  });

  test('a token goes to nobody as plain text', async () => {
    const io = new TestIo();
    io.env = { SLUICE_API_TOKEN: 'a.b.c' };
    expect(await io.run('list', '--server', 'http://sluice.example')).toMatchObject({ exitCode: 2 });
    expect(io.errText).toContain('a token is not sent');
  });

  test('requests are signed for API Gateway by its host, or where a region is named', async () => {
    const { clock } = new TestIo();
    const address = 'https://abc.execute-api.eu-west-1.amazonaws.com';
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    const headers = await authoriserOf({ env: {}, clock }, address)({ method: 'GET', url: `${address}/v1/jobs`, body: '' });
    expect(headers['authorization']).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-west-1\/execute-api\/aws4_request, /);
    const io = new TestIo();
    io.env = { SLUICE_API_REGION: 'eu-west-3' };
    expect((await io.run('list', '--server', url)).exitCode).toBe(0);
    expect(asked.at(-1)!.headers.authorization).toContain('/eu-west-3/execute-api/');
    expect(await authoriserOf({ env: {}, clock }, 'http://127.0.0.1:8081')({ method: 'GET', url: '', body: '' })).toEqual({});
  });
});
