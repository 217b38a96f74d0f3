import { describe, expect, test } from 'vitest';
import type { JobFailure } from '../../lib/model/coordinator-message.ts';
import type { CheckpointEntry } from '../../lib/ports/job-history.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter, sink } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

async function failuresOf(world: CoordinatorWorld): Promise<readonly (readonly [id: number, reason: string])[]> {
  const entries = (await world.stores.history.read(job)).filter((entry): entry is CheckpointEntry => entry.kind === 'checkpoint');
  return entries.flatMap(({ id, failure }) => (failure === null ? [] : [[id, failure.reason] as const]));
}

/** A checkpoint that hangs: one vertex does not answer. */
async function hanging(settings: Partial<CoordinatorWorld['settings']> = {}): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld({ settings: { timeoutMs: 10_000, tolerableFailures: 100, ...settings } });
  await world.start();
  world.mute.add(counter);
  await world.dirty();
  await world.advance(1_100);
  expect((await world.record()).pending).toMatchObject([{ id: 1 }]);
  return world;
}

const failure: JobFailure = { code: 'SLUICE-USER-CODE', message: 'boom', hint: 'mend it', operator: counter, shard: 0, facts: {}, atMs: 5 };

describe('a checkpoint that fails', () => {
  test('is followed by the next try, which answers the same changes', async () => {
    const world = await hanging();
    await world.expire(1);
    world.mute.clear();
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({
      completed: 2,
      published: 2,
      failures: 0,
      pending: [],
      counts: { completed: 1, failed: 1 },
    });
    expect([...world.collect.published()].sort()).toEqual(['record of 1', 'record of 2']);
  });

  test('more often than is borne restores the newest completed one, and the count begins anew', async () => {
    const world = new CoordinatorWorld({ settings: { timeoutMs: 10_000, tolerableFailures: 1 } });
    await world.start();
    await world.dirty();
    await world.advance(1_100);
    world.mute.add(counter);
    await world.dirty();
    await world.advance(2_000);
    await world.expire(2);
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ attempt: 1, failures: 1, pending: [{ id: 3 }] });
    await world.expire(3);
    await world.advance(1_000);
    const record = await world.record();
    expect(record).toMatchObject({
      attempt: 2,
      status: 'RUNNING',
      failures: 0,
      completed: 1,
      pending: [],
      firstEpoch: 4,
      counts: { restored: 1 },
    });
    expect(record.descriptor).toContain('recovery');
  });

  test('once is enough where none is borne, and without a completed checkpoint the job begins again from nothing', async () => {
    const world = await hanging({ tolerableFailures: 0 });
    await world.expire(1);
    await world.advance(1_000);
    expect(await world.record()).toMatchObject({ attempt: 2, status: 'RUNNING', descriptor: null, completed: 0, floor: 0, firstEpoch: 2 });
  });

  test('by the death of its flow is ended by the next message, and its token by nobody', async () => {
    const world = await hanging();
    const [pending] = (await world.record()).pending;
    const flow = (await world.stores.flows.read(pending!.flow))!;
    await world.boot();
    // Step Functions has lost it: the local store says so.
    await world.stores.flows.save({ ...flow, status: 'FAILED' });
    await world.boot();
    world.mute.clear();
    await world.advance(10_000);
    expect((await world.record()).pending).toMatchObject([{ id: 1 }]);
    await world.advance(6_000);
    await world.tell({ kind: 'dirty', job, attempt: 1, uid: sink, shard: 0, epoch: 2 });
    await world.advance(2_000);
    expect(await failuresOf(world)).toEqual([[1, 'CHECKPOINT_EXPIRED']]);
    expect(await world.record()).toMatchObject({ completed: 2, pending: [] });
  });

  test('of a failed job stays failed, with its cause stored', async () => {
    const world = await hanging();
    await world.tell({ kind: 'failed', job, attempt: 1, uid: counter, shard: 0, failure });
    await world.settle();
    const record = await world.record();
    expect(record).toMatchObject({ status: 'FAILED', pending: [] });
    const stored = await world.stores.objects.read(record.failure!);
    expect(JSON.parse(Buffer.from(stored!).toString('utf8'))).toEqual(failure);
    await world.tell({ kind: 'dirty', job, attempt: 1, uid: sink, shard: 0, epoch: 1 });
    await world.advance(60_000);
    expect(await world.record()).toEqual(record);
  });
});
