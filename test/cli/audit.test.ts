/** `sluice audit` at a server that is as a deployed one. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryAuditLog } from '../contract/memory-audit-log.ts';
import { startLocalServer, type LocalServer } from '../../lib/local/local-server.ts';
import type { AuditLog } from '../../lib/ports/audit-log.ts';
import { startedWorld, type ApiWorld } from '../api/api-world.ts';
import { job } from '../checkpoint/fixture.ts';
import { writtenChain } from '../contract/audit-log.contract.ts';
import { sluice } from './test-io.ts';

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

  test('shows a record as one line, whatever was sent: nobody writes lines of the audit himself', async () => {
    const forged = '{"a": 1}\n9  2026-01-01T00:00:00.000Z  somebody else  POST /jobs/x/stop \u001b[1A\u202e';
    const response = await world.app.fetch(new Request(`http://localhost/jobs/${job}/checkpoints`, { method: 'POST', body: forged }));
    expect(response.status).toBe(400);
    const lines = (await audit()).out.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain(String.raw`{"a": 1}\u000a9  2026-01-01`);
    expect(lines[0]).toContain(String.raw`\u001b[1A\u202e`);
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
    expect(await audit('--verify')).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('SLUICE-AUDIT-BROKEN: record 110 was edited'),
    });
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
