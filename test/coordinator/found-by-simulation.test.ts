/** Each the shortest run of what the simulator has found in the coordinator, and the rule that was missing (ADR 26). */
import { describe, expect, test } from 'vitest';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import { stopWithSavepoint, takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import { sweep } from '../../lib/coordinator/sweep.ts';
import { encodeStoredPlan } from '../../lib/checkpoint/stored-plan.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import { job } from '../checkpoint/fixture.ts';
import { planOf, sink } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

async function started(): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld();
  await world.start();
  return world;
}

async function change(world: CoordinatorWorld, patch: Partial<JobRecord>): Promise<void> {
  const record = await world.record();
  await world.stores.jobs.replace({ ...record, ...patch, version: record.version + 1 }, record.version);
}

const chosen = { job, trigger: 'deploy', publishedSeen: null, allowNonRestoredState: false, allowOtherJob: false } as const;
const order = { job, trigger: 'asked', directory: 'target' };

describe('a savepoint that is complete before an older checkpoint', () => {
  test('ends that one: what its shards have not taken by then they never will, and the next checkpoint need not wait (ADR 32)', async () => {
    const world = await started();
    for (const { uid } of world.plan.vertices) world.mute.add(uid);
    await world.dirty();
    await world.advance(1_100);
    expect(await world.record()).toMatchObject({ pending: [{ id: 1 }] });
    world.mute.clear();
    await takeSavepoint(world.deps, order);
    await world.advance(1_500);
    expect(await world.record()).toMatchObject({ pending: [], failures: 0, attempt: 1, completed: 3, published: 3 });
    expect(await world.stores.operations.read(job, 'asked')).toMatchObject({ status: 'COMPLETED', failure: null });
  });
});

describe('a savepoint whose checkpoint times out', () => {
  test('lets go of it at once: what is due after it does not wait for a message that may never come', async () => {
    const world = await started();
    world.mute.add(sink);
    await takeSavepoint(world.deps, order);
    await world.advance(100);
    world.mute.clear();
    await world.dirty();
    await world.advance(world.settings.timeoutMs + 4_000);
    expect(await world.stores.operations.read(job, 'asked')).toMatchObject({
      status: 'COMPLETED',
      failure: { code: 'CHECKPOINT_EXPIRED' },
    });
    expect(await world.record()).toMatchObject({ pending: [], published: 2 });
  });

  test('is found by a sweep where its flow has died, although nothing was due before it', async () => {
    const world = await started();
    await world.advance(2 * 3_600_000);
    expect(await world.stores.flows.running()).toEqual([]);
    world.mute.add(sink);
    await takeSavepoint(world.deps, order);
    await world.advance(100);
    const [pending] = (await world.record()).pending;
    const flow = (await world.stores.flows.read(pending!.flow))!;
    await world.stores.flows.save({ ...flow, status: 'FAILED' });
    await world.boot();
    await world.advance(2 * 3_600_000);
    expect((await world.record()).pending).toEqual([]);
  });
});

describe('a restore under another plan', () => {
  test('is not taken for done where a recovery has begun the job anew under the old one', async () => {
    const world = await started();
    const { plan, planHash } = { plan: planOf({ counters: 3 }), planHash: 'another hash' };
    const operation = await restoreCheckpoint(world.deps, {
      ...chosen,
      checkpoint: 'newest',
      newPlan: { plan, planHash, settings: world.settings },
    });
    expect(operation.status).toBe('IN_PROGRESS');
    // Between its request and its switch.
    await change(world, { attempt: 2, firstEpoch: 1, status: 'RUNNING' });
    await world.advance(10_000);
    expect(await world.record()).toMatchObject({ attempt: 2, planHash: 'hash' });
    expect(await world.stores.operations.read(job, 'deploy')).toMatchObject({ status: 'COMPLETED', failure: { code: 'SLUICE-REFUSED' } });
  });

  test('is done where only the answer to its write was lost', async () => {
    const world = await started();
    await world.dirty();
    await world.advance(1_100);
    const replace = world.stores.jobs.replace.bind(world.stores.jobs);
    // As the SDK does: it asks again, and its own first try is in the way.
    world.stores.jobs.replace = async (record, version) => {
      await replace(record, version);
      return replace(record, version);
    };
    const { plan, planHash } = { plan: planOf({ counters: 3 }), planHash: 'another hash' };
    await restoreCheckpoint(world.deps, { ...chosen, checkpoint: 'newest', newPlan: { plan, planHash, settings: world.settings } });
    await world.advance(10_000);
    expect(await world.stores.operations.read(job, 'deploy')).toMatchObject({ status: 'COMPLETED', failure: null });
    const { key } = encodeStoredPlan(job, { plan, settings: world.settings });
    expect(await world.record()).toMatchObject({ attempt: 2, planHash, plan: key, status: 'RUNNING' });
  });
});

describe('a stop whose savepoint is whole', () => {
  /** The step that commits dies behind its first write. */
  async function committed(): Promise<CoordinatorWorld> {
    const world = await started();
    const publish = world.collect.publish.bind(world.collect);
    world.collect.publish = async () => new Promise(() => undefined);
    await world.boot();
    await stopWithSavepoint(world.deps, { ...order, stop: 'suspend' });
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ status: 'RUNNING', completed: 1, published: 0, retained: [{ kind: 'stop-savepoint' }] });
    world.collect.publish = publish;
    return world;
  }

  test('is followed by no periodic checkpoint, and the next try of the step that commits it ends the job', async () => {
    const world = await committed();
    await world.dirty();
    await world.advance(5_000);
    await world.boot();
    await world.advance(60_000);
    expect(await world.record()).toMatchObject({ status: 'FINISHED', numbered: 1, completed: 1, published: 1 });
    expect(await world.stores.operations.read(job, 'asked')).toMatchObject({ status: 'COMPLETED', failure: null });
  });

  test('ends the job by a sweep where the flow of the stop has died', async () => {
    const world = await committed();
    const flow = (await world.stores.flows.running()).find((running) => running.flow === 'stop')!;
    await world.stores.flows.save({ ...flow, status: 'FAILED' });
    await world.boot();
    expect(await sweep(world.deps, { job })).toMatchObject({ again: false });
    expect(await world.record()).toMatchObject({ status: 'FINISHED', completed: 1, published: 1, sweepAtMs: 0 });
  });
});

describe('at least once', () => {
  test('a stop does not wait for the checkpoint that is on its way, and ends none: its barrier waits for that one’s', async () => {
    const world = new CoordinatorWorld({ settings: { mode: 'at-least-once' } });
    await world.start();
    world.mute.add(sink);
    await world.dirty();
    await world.advance(1_100);
    expect(await world.record()).toMatchObject({ pending: [{ id: 1, kind: 'checkpoint' }] });
    const late = (await world.snapshots(1, 1)).filter(({ uid }) => uid === sink);
    world.mute.clear();
    await stopWithSavepoint(world.deps, { ...order, stop: 'suspend' });
    await world.settle();
    expect(await world.record()).toMatchObject({ numbered: 2 });
    for (const snapshot of late) await world.tell({ kind: 'acknowledgement', job, attempt: 1, uid: sink, shard: snapshot.shard, snapshot });
    await world.advance(5_000);
    expect(await world.record()).toMatchObject({ status: 'FINISHED', attempt: 1, completed: 2, published: 2 });
  });
});
