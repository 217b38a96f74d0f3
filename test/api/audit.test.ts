import { handle } from 'hono/aws-lambda';
import { beforeEach, describe, expect, test } from 'vitest';
import { readAccess } from '../../functions/api-access.ts';
import { MemoryAuditLog } from '../contract/memory-audit-log.ts';
import { createApi } from '../../lib/api/api-app.ts';
import { readAuditedState } from '../../lib/api/audited-state.ts';
import { createPortJobReads } from '../../lib/api/port-job-reads.ts';
import { readOnlyControl } from '../../lib/api/read-only-control.ts';
import { routeScopes } from '../../lib/api/route-scopes.ts';
import { SluiceError } from '../../lib/base/errors.ts';
import { verifyAudit } from '../../lib/model/audit-chain.ts';
import { sealEntry, type AuditHead, type AuditRecord } from '../../lib/model/audit-record.ts';
import type { AuditLog } from '../../lib/ports/audit-log.ts';
import { job } from '../checkpoint/fixture.ts';
import { askedEntry } from '../contract/audit-log.contract.ts';
import { startedWorld, unknownJob, type ApiWorld } from './api-world.ts';
import { ada, byIam, gatewayEvent } from './gateway-event.ts';

let world: ApiWorld;
let log: MemoryAuditLog;
const trigger = 'b'.repeat(32);

beforeEach(async () => {
  world = await startedWorld();
  log = new MemoryAuditLog();
  world.auditLog = log;
  world.access = readAccess({});
});

interface Audit {
  readonly head: AuditHead | null;
  readonly records: readonly AuditRecord[];
  readonly next: number | null;
}

async function ask(method: string, path: string, body?: unknown, query = '') {
  const event = gatewayEvent({ method, path, query, authorizer: byIam, ...(body === undefined ? {} : { body }) });
  const { statusCode, body: text } = (await handle(world.app)(event, {} as never)) as { statusCode: number; body: string };
  return { status: statusCode, body: JSON.parse(text) as unknown };
}

const auditOf = async (query = ''): Promise<Audit> => (await ask('GET', `/jobs/${job}/audit`, undefined, query)).body as Audit;
const failing = (): Promise<never> =>
  Promise.reject(new SluiceError('SLUICE-AWS-THROTTLED', 'DynamoDB throttles', { hint: 'Wait.', retryable: true }));

/** A log of which some calls fail: `create` number by number. */
function faulty(fails: (creates: number) => boolean, headFails = false): AuditLog {
  let creates = 0;
  return {
    head: (id) => (headFails ? failing() : log.head(id)),
    create: (record) => (fails(++creates) ? failing() : log.create(record)),
    read: (id, after, max) => log.read(id, after, max),
  };
}

describe('a change', () => {
  test('leaves who asked for what, when and at which state of the job, and how it went', async () => {
    expect(await ask('POST', `/jobs/${job}/savepoints`, { triggerId: trigger })).toMatchObject({ status: 202 });
    const { records, head, next } = await auditOf();
    const state = {
      status: 'RUNNING',
      attempt: 1,
      version: expect.any(Number),
      settings: expect.objectContaining({ intervalMs: expect.any(Number) }),
    };
    expect(records).toMatchObject([
      {
        ...{ number: 1, kind: 'asked', job, who: ada, requestId: 'request-1', atMs: expect.any(Number), before: state },
        request: { method: 'POST', path: `/jobs/${job}/savepoints`, query: '', body: JSON.stringify({ triggerId: trigger }) },
      },
      { number: 2, kind: 'answered', asked: 1, outcome: { status: 202, code: null }, after: state },
    ]);
    expect(head).toEqual({ number: 2, hash: records[1]!.hash });
    expect(next).toBeNull();
    expect(verifyAudit(records, [head!])).toMatchObject({ problem: null, withoutOutcome: [] });
  });

  test('of settings shows them before and after', async () => {
    await ask('PATCH', `/jobs/${job}/checkpoints/config`, { interval: 30_000 });
    const [asked, answered] = (await auditOf()).records;
    const interval = { settings: { intervalMs: 30_000 } };
    expect(asked).toMatchObject({ kind: 'asked', before: { settings: { intervalMs: expect.any(Number) } } });
    expect(asked).not.toMatchObject({ before: interval });
    expect(answered).toMatchObject({ kind: 'answered', after: interval });
  });

  test('that is refused, of an unknown job, or only tried leaves its outcome too', async () => {
    await ask('PATCH', `/jobs/${job}`, undefined, 'mode=nonsense');
    await ask('POST', `/v1/jobs/${job}/restore`, { checkpoint: 77, dryRun: true });
    await ask('PATCH', `/jobs/${unknownJob}`);
    const { records } = await auditOf();
    expect(records.map((record) => (record.kind === 'answered' ? record.outcome : record.request.query))).toEqual([
      '?mode=nonsense',
      { status: 400, code: 'SLUICE-API-REQUEST' },
      '',
      { status: 200, code: null },
    ]);
    expect(await log.read(unknownJob as never, 0, 10)).toMatchObject([{ before: null }, { outcome: { status: 404 }, after: null }]);
  });

  test.each(routeScopes.filter(({ scope }) => scope !== 'read'))('$method $path leaves its two records', async ({ method, path }) => {
    await ask(method, path.replace(':jobid', job), {});
    expect((await auditOf()).records.map(({ kind }) => kind)).toEqual(['asked', 'answered']);
  });

  test('has its body in the record, or its hash where it is long', async () => {
    await ask('POST', `/jobs/${job}/stop`, { targetDirectory: 'x'.repeat(9_000) });
    const [asked] = (await auditOf()).records;
    expect(asked).toMatchObject({ request: { body: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/), characters: 9_022 } } });
  });

  test('has the hash of each of its records in the log of the function', async () => {
    const told: unknown[] = [];
    world.deps.logger.log = (_level, message, facts) => void (message === 'audit' && told.push(facts));
    await ask('POST', `/jobs/${job}/stop`, {});
    expect(told).toEqual((await auditOf()).records.map(({ number, hash }) => ({ job, number, hash })));
  });

  test('questions leave nothing', async () => {
    await ask('GET', `/jobs/${job}`);
    expect(await auditOf()).toEqual({ head: null, records: [], next: null });
  });
});

describe('a change that cannot be recorded', () => {
  test.each([
    ['the record', faulty(() => true)],
    ['the end of the chain', faulty(() => false, true)],
  ])('is refused, and nothing is done: without %s', async (_, broken) => {
    world.auditLog = broken;
    const answer = await ask('PATCH', `/jobs/${job}`, undefined, 'mode=cancel');
    expect(answer).toEqual({ status: 503, body: { errors: [expect.stringContaining('SLUICE-AUDIT-UNAVAILABLE')] } });
    expect(await world.record()).toMatchObject({ status: 'RUNNING' });
    await ask('POST', `/jobs/${job}/savepoints`, { triggerId: trigger });
    expect(await world.stores.operations.list(job)).toEqual([]);
  });

  test('afterwards is answered all the same, and stands without an outcome', async () => {
    world.auditLog = faulty((creates) => creates === 2);
    expect(await ask('POST', `/jobs/${job}/savepoints`, { triggerId: trigger })).toMatchObject({ status: 202 });
    expect(await ask('POST', `/jobs/${job}/stop`, {})).toMatchObject({ status: 202 });
    const { records, head } = await auditOf();
    expect(records.map(({ kind }) => kind)).toEqual(['asked', 'asked', 'answered']);
    expect(verifyAudit(records, [head!])).toMatchObject({ problem: null, withoutOutcome: [1] });
  });

  test('because others are always first is refused as one that may be asked again', async () => {
    // Somebody writes in between every time.
    world.auditLog = {
      head: (id) => log.head(id),
      create: async (record) => {
        await log.create(sealEntry(askedEntry(job), { number: record.number - 1, hash: record.previous }));
        return log.create(record);
      },
      read: (id, after, max) => log.read(id, after, max),
    };
    const codes: unknown[] = [];
    world.deps.logger.log = (_level, _message, facts) => void codes.push(facts?.['code']);
    expect(await ask('POST', `/jobs/${job}/stop`, {})).toMatchObject({ status: 503 });
    expect(codes).toContain('SLUICE-AUDIT-BUSY');
  });
});

test('the state of a job whose plan is lost is recorded without its settings, so that a restore can be asked for', async () => {
  const { jobs, objects } = world.deps;
  const lost = { ...objects, read: async () => undefined };
  expect(await readAuditedState({ jobs, objects: lost }, job)).toMatchObject({ status: 'RUNNING', settings: null });
  const broken = { ...objects, read: failing };
  await expect(readAuditedState({ jobs, objects: broken }, job)).rejects.toMatchObject({ code: 'SLUICE-AWS-THROTTLED' });
});

test('changes at the same time make one chain', async () => {
  const paths = ['stop', 'savepoints', 'checkpoints', 'savepoints', 'checkpoints'];
  const answers = await Promise.all(paths.map((path) => ask('POST', `/jobs/${job}/${path}`, {})));
  expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 202));
  const { records, head } = await auditOf();
  expect(records).toHaveLength(2 * paths.length);
  expect(verifyAudit(records, [head!])).toMatchObject({ problem: null, withoutOutcome: [] });
});

test('the audit is read page by page', async () => {
  for (let i = 0; i < 3; i++) await ask('POST', `/jobs/${job}/checkpoints`, {});
  const first = await auditOf('max=4');
  expect([first.records.length, first.next]).toEqual([4, 4]);
  const rest = await auditOf(`max=4&after=${first.next}`);
  expect([rest.records.map(({ number }) => number), rest.next]).toEqual([[5, 6], null]);
  expect(await ask('GET', `/jobs/${job}/audit`, undefined, 'after=x')).toMatchObject({ status: 400 });
});

test('a server that only answers questions refuses every change', async () => {
  const { deps, time } = world;
  const reads = createPortJobReads({ deps, checkpointLocation: (path) => path });
  const app = createApi({
    control: readOnlyControl(reads),
    clock: time.clock,
    logger: deps.logger,
    durable: async () => undefined,
    version: '1',
  });
  expect((await app.request(`/jobs/${job}`)).status).toBe(200);
  for (const { method, path } of routeScopes.filter(({ scope }) => scope !== 'read')) {
    const answer = await app.request(path.replace(':jobid', job), { method, body: '{}' });
    expect([answer.status, answer.headers.get('sluice-error-code')], path).toEqual([403, 'SLUICE-API-READ-ONLY']);
  }
  expect(await world.record()).toMatchObject({ status: 'RUNNING' });
});
