import { describe, expect, test } from 'vitest';
import { countsAgainstTolerance, failureReasons, type FailureReason } from '../../lib/checkpoint/failure-reason.ts';
import { requestCancel } from '../../lib/coordinator/cancel-job.ts';
import type { JobFailure } from '../../lib/model/coordinator-message.ts';
import type { CheckpointEntry } from '../../lib/ports/job-history.ts';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import { takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
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

const decline = async (world: CoordinatorWorld, checkpoint: number, reason: string): Promise<void> => {
  await world.tell({ kind: 'declined', job, attempt: 1, uid: counter, shard: 0, checkpoint, reason });
  await world.settle();
};

const failure: JobFailure = { code: 'SLUICE-USER-CODE', message: 'boom', hint: 'mend it', operator: counter, shard: 0, facts: {}, atMs: 5 };

/** Every reason, and how it comes about. */
const provoked: Readonly<Record<FailureReason, () => Promise<CoordinatorWorld>>> = {
  CHECKPOINT_EXPIRED: async () => {
    const world = await hanging();
    await world.advance(10_500);
    return world;
  },
  CHECKPOINT_DECLINED: async () => {
    const world = await hanging();
    await decline(world, 1, 'a newer barrier came first');
    return world;
  },
  CHECKPOINT_ASYNC_EXCEPTION: async () => {
    const world = await hanging();
    await decline(world, 1, 'CHECKPOINT_ASYNC_EXCEPTION');
    return world;
  },
  CHECKPOINT_SUBSUMED: async () => {
    const world = await hanging({ maxConcurrent: 2 });
    world.mute.clear();
    await world.dirty(2);
    await world.advance(1_500);
    return world;
  },
  TASK_FAILURE: async () => {
    const world = await hanging();
    await world.tell({ kind: 'failed', job, attempt: 1, uid: counter, shard: 0, failure });
    await world.settle();
    return world;
  },
  CHECKPOINT_COORDINATOR_SHUTDOWN: async () => {
    const world = await hanging();
    await requestCancel(world.deps, job);
    await world.settle();
    return world;
  },
  CHECKPOINT_COORDINATOR_SUSPEND: async () => {
    const world = await hanging();
    const order = {
      job,
      trigger: 'a',
      checkpoint: 'newest',
      publishedSeen: null,
      newPlan: null,
      allowNonRestoredState: false,
      allowOtherJob: false,
    } as const;
    await restoreCheckpoint(world.deps, order);
    await world.settle();
    return world;
  },
  FINALIZE_CHECKPOINT_FAILURE: async () => {
    const world = new CoordinatorWorld({ settings: { tolerableFailures: 100 } });
    await world.start();
    const { objects } = world.stores;
    const createIfAbsent = objects.createIfAbsent.bind(objects);
    objects.createIfAbsent = async (key, bytes) => {
      if (key.includes('/manifests/')) throw new Error('no space left');
      return createIfAbsent(key, bytes);
    };
    await world.dirty();
    await world.advance(20_000);
    objects.createIfAbsent = createIfAbsent;
    return world;
  },
  TRIGGER_CHECKPOINT_FAILURE: async () => {
    const world = new CoordinatorWorld({ settings: { tolerableFailures: 100 } });
    await world.start();
    const { queue } = world.stores;
    const sendBatch = queue.sendBatch.bind(queue);
    queue.sendBatch = async (name, messages) => (name.endsWith('numbers') ? messages.map(() => false) : sendBatch(name, messages));
    await world.dirty();
    await world.advance(20_000);
    queue.sendBatch = sendBatch;
    return world;
  },
  IO_EXCEPTION: async () => {
    const world = new CoordinatorWorld({ settings: { tolerableFailures: 100 } });
    await world.start();
    const { jobs } = world.stores;
    const replace = jobs.replace.bind(jobs);
    await world.dirty();
    // Only the number is never stored: nothing of the attempt ever becomes pending.
    jobs.replace = async (record, version) => {
      if (record.pending.length > 0) throw new Error('the table is gone');
      return replace(record, version);
    };
    await world.advance(20_000);
    jobs.replace = replace;
    return world;
  },
  NOT_ALL_REQUIRED_TASKS_RUNNING: async () => {
    const world = new CoordinatorWorld();
    await world.start();
    await requestCancel(world.deps, job);
    await world.settle();
    await takeSavepoint(world.deps, { job, trigger: 'late', directory: 'target' });
    await world.advance(1_000);
    return world;
  },
  TOO_MANY_CHECKPOINT_REQUESTS: async () => {
    const world = await hanging();
    for (let n = 0; n < 9; n++) await takeSavepoint(world.deps, { job, trigger: `t${n}`, directory: 'target' });
    await world.settle();
    return world;
  },
};

describe('a checkpoint that fails', () => {
  test.each(failureReasons)('for %s says so, counts only where Flink counts, and leaves the job as it should', async (reason) => {
    const world = await provoked[reason]();
    const record = await world.record();
    const operations = await world.stores.operations.list(job);
    const notStarted = ['NOT_ALL_REQUIRED_TASKS_RUNNING', 'TOO_MANY_CHECKPOINT_REQUESTS'].includes(reason);
    if (notStarted) expect(operations.map(({ failure: why }) => why?.code)).toContain(reason);
    else if (reason !== 'IO_EXCEPTION') expect(await failuresOf(world)).toContainEqual([1, reason]);
    const counted = countsAgainstTolerance(reason) && reason !== 'CHECKPOINT_SUBSUMED';
    if (record.status === 'RUNNING' && record.completed === 0 && record.attempt === 1)
      expect(record.failures > 0, String(record.failures)).toBe(counted);
    expect(['RUNNING', 'FAILED', 'CANCELED'].includes(record.status)).toBe(true);
  });

  test('is followed by the next try, which answers the same changes', async () => {
    const world = await provoked.CHECKPOINT_DECLINED();
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
    await decline(world, 2, 'no');
    await world.advance(2_000);
    expect(await world.record()).toMatchObject({ attempt: 1, failures: 1, pending: [{ id: 3 }] });
    await decline(world, 3, 'no');
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
    await decline(world, 1, 'no');
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
    const world = await provoked.TASK_FAILURE();
    const record = await world.record();
    expect(record).toMatchObject({ status: 'FAILED', pending: [] });
    const stored = await world.stores.objects.read(record.failure!);
    expect(JSON.parse(Buffer.from(stored!).toString('utf8'))).toEqual(failure);
    await world.tell({ kind: 'dirty', job, attempt: 1, uid: sink, shard: 0, epoch: 1 });
    await world.advance(60_000);
    expect(await world.record()).toEqual(record);
  });
});
