/** What Flink's clients ask of a checkpoint by hand, and the options that may be changed while the job runs. */
import { beforeEach, describe, expect, test } from 'vitest';
import { readPlan } from '../../lib/coordinator/coordinator-deps.ts';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import type { CheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter } from '../checkpoint/plans.ts';
import { startedWorld, unknownJob, type Answer, type ApiWorld } from './api-world.ts';
import { differences, flinkShapes } from './flink-shapes.ts';

const trigger = 'a'.repeat(31) + '1';
const path = `/jobs/${job}/checkpoints`;

let world: ApiWorld;
beforeEach(async () => {
  world = await startedWorld();
});

describe('a checkpoint by hand', () => {
  test('is triggered with 202, taken though nothing has changed, and has a number in the end', async () => {
    const { status, body } = await world.post(`/v1${path}`, { checkpointType: 'CONFIGURED', triggerId: trigger });
    expect([status, body]).toEqual([202, { 'request-id': trigger }]);
    expect((await world.request(`${path}/${trigger}`)).body).toEqual({ status: { id: 'IN_PROGRESS' }, operation: null });
    await world.advance(100);
    expect((await world.request(`${path}/${trigger}`)).body).toEqual({ status: { id: 'COMPLETED' }, operation: { checkpointId: 1 } });
    expect(await world.record()).toMatchObject({ completed: 1, published: 1, retained: [{ id: 1, kind: 'checkpoint' }] });
    expect([...world.collect.published()]).toEqual(['record of 1']);
  });

  test('is one, however often its trigger id is sent', async () => {
    for (let again = 0; again < 3; again++) await world.post(path, { triggerId: trigger });
    await world.advance(5_000);
    expect((await world.record()).numbered).toBe(1);
  });

  test('waits for its turn, but neither for interval nor pause, and lets periodic ones follow', async () => {
    world = await startedWorld({ settings: { intervalMs: 60_000, minPauseMs: 60_000, timeoutMs: 30_000 } });
    await world.post(path, {});
    await world.advance(100);
    expect((await world.record()).completed).toBe(1);
    world.mute.add(counter);
    await world.post(path, {});
    await world.post(path, { triggerId: trigger });
    await world.advance(3_000);
    expect((await world.record()).pending.map(({ id }) => id)).toEqual([2]);
    world.mute.clear();
    await world.expire(2);
    await world.advance(2_000);
    expect((await world.request(`${path}/${trigger}`)).body).toMatchObject({ operation: { checkpointId: 3 } });
    await world.dirty();
    await world.advance(63_000);
    expect((await world.record()).completed).toBe(4);
  });

  test('that fails counts, says why, and the next one holds what it would have held', async () => {
    world.mute.add(counter);
    await world.post(path, { triggerId: trigger });
    await world.advance(100);
    await world.expire(1);
    const { body } = await world.request(`${path}/${trigger}`);
    expect(body).toMatchObject({ status: { id: 'COMPLETED' }, operation: { failureCause: { code: 'CHECKPOINT_EXPIRED' } } });
    expect(Object.keys((body as { operation: { failureCause: object } }).operation.failureCause)).toContain('serialized-throwable');
    expect(await world.record()).toMatchObject({ failures: 1, pending: [], counts: { failed: 1 } });
  });

  test('that is being taken when the coordinator dies is taken once', async () => {
    world.mute.add(counter);
    await world.post(path, { triggerId: trigger });
    await world.advance(100);
    await world.boot();
    world.mute.clear();
    for (const snapshot of await world.snapshots(1, 1)) {
      await world.tell({ kind: 'acknowledgement', job, attempt: 1, uid: snapshot.uid, shard: snapshot.shard, snapshot });
    }
    await world.advance(1_000);
    expect((await world.request(`${path}/${trigger}`)).body).toMatchObject({ operation: { checkpointId: 1 } });
  });

  test('of an unknown job is 202, and the failure is in the answer to the poll', async () => {
    expect(await world.post(`/jobs/${unknownJob}/checkpoints`, { triggerId: trigger })).toMatchObject({ status: 202 });
    expect((await world.request(`/jobs/${unknownJob}/checkpoints/${trigger}`)).body).toMatchObject({
      operation: { failureCause: { code: 'SLUICE-JOB-UNKNOWN' } },
    });
  });

  test('may be full, which is the same, but not incremental', async () => {
    expect(await world.post(path, { checkpointType: 'FULL' })).toMatchObject({ status: 202 });
    const incremental = await world.post(path, { checkpointType: 'INCREMENTAL' });
    expect([incremental.status, JSON.stringify(incremental.body)]).toEqual([500, expect.stringContaining('See FLINK-33723.')]);
    const unknown = await world.post(path, { checkpointType: 'NOPE' });
    expect([unknown.status, JSON.stringify(unknown.body)]).toEqual([400, expect.stringContaining('CheckpointTriggerRequestBody')]);
  });

  test('that nobody has asked for is 404, and so is a savepoint under its path, and it under a savepoint’s', async () => {
    const answer = await world.request(`${path}/${trigger}`);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([404, expect.stringContaining('There is no checkpoint operation with')]);
    await world.post(`/jobs/${job}/savepoints`, { triggerId: trigger });
    expect(await world.request(`${path}/${trigger}`)).toMatchObject({ status: 404 });
    const other = trigger.replace('1', '2');
    await world.post(path, { triggerId: other });
    expect(await world.request(`/jobs/${job}/savepoints/${other}`)).toMatchObject({ status: 404 });
  });
});

describe('a change of the options', () => {
  const change = (body: unknown): Promise<Answer> => world.request(`${path}/config`, { method: 'PATCH', body: JSON.stringify(body) });
  const settings = async (): Promise<CheckpointSettings> => (await readPlan(world.deps, (await world.record()).plan)).settings;

  test('answers what was and what is, and GET shows it in Flink’s shape', async () => {
    const { status, body } = await change({ interval: 5_000, mode: 'at_least_once', timeout: 60_000, min_pause: 0, num_retained: 3 });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      changes: [
        { option: 'interval', from: 1_000, to: 5_000 },
        { option: 'mode', from: 'exactly_once', to: 'at_least_once' },
        { option: 'timeout', from: 600_000, to: 60_000 },
        { option: 'num_retained', from: 2, to: 3 },
      ],
      config: { interval: 5_000, mode: 'at_least_once' },
    });
    const shown = (await world.request(`${path}/config`)).body;
    expect(differences(shown, flinkShapes.checkpointConfig)).toEqual([]);
    expect(shown).toEqual((body as { config: unknown }).config);
    expect((await change({ interval: 5_000 })).body).toMatchObject({ changes: [] });
  });

  test('to a shorter interval holds for what waits by the longer one, and to a longer one too', async () => {
    world = await startedWorld({ settings: { intervalMs: 3_600_000 } });
    await world.dirty();
    await world.advance(10_000);
    expect((await world.record()).numbered).toBe(0);
    await change({ interval: 1_000 });
    await world.advance(1_100);
    expect((await world.record()).completed).toBe(1);
    await world.dirty();
    await change({ interval: 3_600_000 });
    await world.advance(60_000);
    expect((await world.record()).completed).toBe(1);
    // The one that waited by the shorter interval has ended, and does not try again every second until it is due.
    const states = (await world.stores.flows.running()).filter(({ flow }) => flow === 'checkpoint').map(({ state }) => state);
    expect(new Set(states)).toEqual(new Set(['WaitForInterval']));
  });

  test('leaves a pending checkpoint as it began: its mode and its deadline', async () => {
    world.mute.add(counter);
    await world.dirty();
    await world.advance(1_100);
    const [before] = (await world.record()).pending;
    await change({ mode: 'at_least_once', timeout: 1_000 });
    expect((await world.record()).pending).toEqual([before]);
    world.mute.clear();
    for (const snapshot of await world.snapshots(1, 1)) {
      await world.tell({ kind: 'acknowledgement', job, attempt: 1, uid: snapshot.uid, shard: snapshot.shard, snapshot });
    }
    await world.dirty(2);
    await world.advance(3_000);
    expect(await world.record()).toMatchObject({ completed: 2, pending: [] });
    const modes = await Promise.all(
      (await world.record()).retained.map(async ({ manifest }) => {
        const text = Buffer.from((await world.stores.objects.read(manifest))!).toString('utf8');
        return /"mode":"([a-z-]+)"/.exec(text)?.[1];
      }),
    );
    expect(modes).toEqual(['exactly-once', 'at-least-once']);
  });

  test('outlives a restore that was asked for before it, and the coordinator', async () => {
    const replace = world.stores.jobs.replace.bind(world.stores.jobs);
    let changed: Promise<Answer> | undefined;
    world.stores.jobs.replace = async (record, version) => {
      // In the last moment before the switch.
      if (record.status === 'RESTARTING' && changed === undefined) await (changed = change({ interval: 7_000 }));
      return replace(record, version);
    };
    const how = { publishedSeen: null, newPlan: null, allowNonRestoredState: false, allowOtherJob: false };
    await restoreCheckpoint(world.deps, { job, trigger: 'a', checkpoint: 'newest', ...how });
    await world.advance(5_000);
    expect((await changed)!.status).toBe(200);
    await world.boot();
    expect(await world.record()).toMatchObject({ attempt: 2, status: 'RUNNING' });
    expect(await settings()).toMatchObject({ intervalMs: 7_000 });
  });

  test('is not lost to another at the same time', async () => {
    const answers = await Promise.all([
      change({ interval: 5_000 }),
      change({ timeout: 60_000 }),
      change({ tolerable_failed_checkpoints: 9 }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await settings()).toMatchObject({ intervalMs: 5_000, timeoutMs: 60_000, tolerableFailures: 9 });
  });

  test('of the tolerable number counts anew, of anything else it does not', async () => {
    world.mute.add(counter);
    await world.dirty();
    await world.advance(1_100);
    await world.expire(1);
    await change({ interval: 2_000 });
    expect((await world.record()).failures).toBe(1);
    await change({ tolerable_failed_checkpoints: 0 });
    expect(await world.record()).toMatchObject({ failures: 0, attempt: 1 });
  });

  test.each([
    ['an option that is not known', { intervall: 5_000 }, 'SLUICE-API-REQUEST', 'intervall cannot be changed here'],
    ['one that cannot be changed', { externalization: {} }, 'SLUICE-API-REQUEST', 'externalization cannot be changed here'],
    ['a mode that is not known', { mode: 'exactly-twice' }, 'SLUICE-API-REQUEST', 'exactly_once or at_least_once is wanted'],
    ['no number', { interval: '5s' }, 'SLUICE-API-REQUEST', 'a number is wanted'],
    ['no flag', { unaligned_checkpoints: 1 }, 'SLUICE-API-REQUEST', 'a boolean is wanted'],
    [
      'unaligned at least once',
      { unaligned_checkpoints: true, mode: 'at_least_once' },
      'SLUICE-CHECKPOINT-OPTIONS',
      'needs mode exactly-once',
    ],
    ['no object', [], 'SLUICE-API-REQUEST', 'the body is no JSON object'],
    ['a number out of bounds', { interval: 1 }, 'SLUICE-CHECKPOINT-OPTIONS', 'intervalMs is 1, from 10 to'],
    ['what does not go together', { min_pause: 5, max_concurrent: 2 }, 'SLUICE-CHECKPOINT-OPTIONS', 'needs maxConcurrent 1'],
  ])('with %s is 400 and changes nothing', async (_name, body, code, text) => {
    const before = await world.record();
    const { status, headers, body: errors } = await change(body);
    expect([status, headers.get('sluice-error-code')]).toEqual([400, code]);
    expect(JSON.stringify(errors)).toContain(text);
    expect(await world.record()).toEqual(before);
  });

  test('of an unknown job is 404, of one that has ended 409', async () => {
    expect(await world.request(`/jobs/${unknownJob}/checkpoints/config`, { method: 'PATCH', body: '{}' })).toMatchObject({ status: 404 });
    const record = await world.record();
    await world.stores.jobs.replace({ ...record, version: record.version + 1, status: 'FINISHED' }, record.version);
    expect(await change({ interval: 5_000 })).toMatchObject({ status: 409 });
  });
});
