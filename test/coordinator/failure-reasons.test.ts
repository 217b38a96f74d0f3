/** Every reason for which a checkpoint can fail, provoked; and that there is no other. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { failureReasons, failureText, isFailureReason, type FailureReason } from '../../lib/checkpoint/failure-reason.ts';
import { requestCancel } from '../../lib/coordinator/cancel-job.ts';
import { takeCheckpoint } from '../../lib/coordinator/manual-checkpoint.ts';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import { takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import type { JobFailure } from '../../lib/model/coordinator-message.ts';
import type { CheckpointEntry } from '../../lib/ports/job-history.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

type Settings = Partial<CoordinatorWorld['settings']>;

/** One vertex does not answer: checkpoint 1 stays pending. */
async function hanging(settings: Settings): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld({ settings: { timeoutMs: 10_000, ...settings } });
  await world.start();
  world.mute.add(counter);
  await world.dirty();
  await world.advance(1_100);
  expect((await world.record()).pending).toMatchObject([{ id: 1 }]);
  return world;
}

async function started(settings: Settings): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld({ settings });
  await world.start();
  return world;
}

const failure: JobFailure = { code: 'SLUICE-USER-CODE', message: 'boom', hint: 'mend it', operator: counter, shard: 0, facts: {}, atMs: 5 };

interface Reason {
  /** Against the tolerable number. */
  readonly counted: boolean;
  /** Where it is told: with its checkpoint; where none was begun with whoever asked, or, of a periodic one, by its count alone. */
  readonly told: 'history' | 'operation' | 'count';
  readonly provoke: (settings: Settings) => Promise<CoordinatorWorld>;
}

const reasons: Readonly<Record<FailureReason, Reason>> = {
  CHECKPOINT_EXPIRED: {
    counted: true,
    told: 'history',
    provoke: async (settings) => {
      const world = await hanging(settings);
      await world.advance(10_500);
      return world;
    },
  },
  CHECKPOINT_DECLINED_SUBSUMED: {
    counted: false,
    told: 'history',
    provoke: async (settings) => {
      const world = await hanging(settings);
      const reason = 'CHECKPOINT_DECLINED_SUBSUMED';
      await world.tell({ kind: 'declined', job, attempt: 1, uid: counter, shard: 0, checkpoint: 1, reason });
      await world.settle();
      return world;
    },
  },
  CHECKPOINT_SUBSUMED: {
    counted: false,
    told: 'history',
    provoke: async (settings) => {
      const world = await hanging({ ...settings, maxConcurrent: 2 });
      world.mute.clear();
      await world.dirty(2);
      await world.advance(1_500);
      expect(await world.record()).toMatchObject({ completed: 2, pending: [] });
      return world;
    },
  },
  TASK_FAILURE: {
    counted: false,
    told: 'history',
    provoke: async (settings) => {
      const world = await hanging(settings);
      await world.tell({ kind: 'failed', job, attempt: 1, uid: counter, shard: 0, failure });
      await world.settle();
      expect((await world.record()).status).toBe('FAILED');
      return world;
    },
  },
  CHECKPOINT_COORDINATOR_SHUTDOWN: {
    counted: false,
    told: 'history',
    provoke: async (settings) => {
      const world = await hanging(settings);
      await requestCancel(world.deps, job);
      await world.settle();
      expect((await world.record()).status).toBe('CANCELED');
      return world;
    },
  },
  CHECKPOINT_COORDINATOR_SUSPEND: {
    counted: false,
    told: 'history',
    provoke: async (settings) => {
      const world = await hanging(settings);
      const how = { publishedSeen: null, newPlan: null, allowNonRestoredState: false, allowOtherJob: false };
      await restoreCheckpoint(world.deps, { job, trigger: 'a', checkpoint: 'newest', ...how });
      await world.settle();
      return world;
    },
  },
  FINALIZE_CHECKPOINT_FAILURE: {
    counted: true,
    told: 'history',
    provoke: async (settings) => {
      const world = await started(settings);
      const { objects } = world.stores;
      const createIfAbsent = objects.createIfAbsent.bind(objects);
      objects.createIfAbsent = async (key, bytes) => {
        if (key.includes('/manifests/')) throw new Error('no space left');
        return createIfAbsent(key, bytes);
      };
      await world.dirty();
      await world.advance(20_000);
      return world;
    },
  },
  TRIGGER_CHECKPOINT_FAILURE: {
    counted: false,
    told: 'history',
    provoke: async (settings) => {
      const world = await started(settings);
      const { queue } = world.stores;
      const sendBatch = queue.sendBatch.bind(queue);
      queue.sendBatch = async (name, messages) => (name.endsWith('numbers') ? messages.map(() => false) : sendBatch(name, messages));
      await world.dirty();
      await world.advance(20_000);
      return world;
    },
  },
  IO_EXCEPTION: {
    counted: true,
    told: 'count',
    provoke: async (settings) => {
      const world = await started(settings);
      const { jobs } = world.stores;
      const replace = jobs.replace.bind(jobs);
      await world.dirty();
      // Only the number is never stored: nothing ever becomes pending.
      jobs.replace = async (record, version) => {
        if (record.pending.length > 0) throw new Error('the table is gone');
        return replace(record, version);
      };
      await world.advance(20_000);
      jobs.replace = replace;
      return world;
    },
  },
  NOT_ALL_REQUIRED_TASKS_RUNNING: {
    counted: false,
    told: 'operation',
    provoke: async (settings) => {
      const world = await started(settings);
      await requestCancel(world.deps, job);
      await world.settle();
      await takeCheckpoint(world.deps, { job, trigger: 'late' });
      await world.advance(1_000);
      return world;
    },
  },
  TOO_MANY_CHECKPOINT_REQUESTS: {
    counted: false,
    told: 'operation',
    provoke: async (settings) => {
      const world = await hanging(settings);
      for (let n = 0; n < 9; n++) await takeSavepoint(world.deps, { job, trigger: `t${n}`, directory: 'target' });
      await world.settle();
      return world;
    },
  },
};

async function historyOf(world: CoordinatorWorld): Promise<readonly CheckpointEntry[]> {
  return (await world.stores.history.read(job)).filter((entry): entry is CheckpointEntry => entry.kind === 'checkpoint');
}

const each = failureReasons.map((reason) => [reason, reasons[reason]] as const);

describe('a checkpoint fails for', () => {
  test.each(each)('%s, and says so', async (reason, { told, provoke }) => {
    const world = await provoke({ tolerableFailures: 100 });
    const operations = await world.stores.operations.list(job);
    const failures = (await historyOf(world)).map(({ id, failure: why }) => [id, why]);
    if (told === 'history') expect(failures[0]).toEqual([1, { reason, message: failureText(reason) }]);
    if (told === 'operation') expect(operations.map(({ failure: why }) => why?.code)).toContain(reason);
    if (told === 'count') expect([failures, (await world.record()).numbered]).toEqual([[], 0]);
  });

  test.each(each)('%s, and that counts where Flink counts it', async (reason, { counted, provoke }) => {
    const borne = await (await provoke({ tolerableFailures: 100 })).record();
    expect(borne.failures).toBe(counted ? 1 : 0);
    const asked = reason === 'CHECKPOINT_COORDINATOR_SUSPEND' ? 1 : 0;
    expect(borne.counts.restored).toBe(asked);
    // Where none is borne the job goes back, and begins to count anew.
    const unborne = await (await provoke({ tolerableFailures: 0 })).record();
    expect(unborne.counts.restored > asked).toBe(counted);
  });

  test('no other reason: the list is closed', () => {
    expect(Object.keys(reasons).toSorted()).toEqual(failureReasons.toSorted());
    expect(['CHECKPOINT_DECLINED', 'toString', ''].filter(isFailureReason)).toEqual([]);
  });
});

/** Of Flink 2.3. */
const flinks =
  `PERIODIC_SCHEDULER_SHUTDOWN TOO_MANY_CHECKPOINT_REQUESTS MINIMUM_TIME_BETWEEN_CHECKPOINTS NOT_ALL_REQUIRED_TASKS_RUNNING IO_EXCEPTION
  BLOCKING_OUTPUT_EXIST CHECKPOINT_ASYNC_EXCEPTION CHANNEL_STATE_SHARED_STREAM_EXCEPTION CHECKPOINT_EXPIRED CHECKPOINT_SUBSUMED CHECKPOINT_DECLINED
  CHECKPOINT_DECLINED_TASK_NOT_READY CHECKPOINT_DECLINED_TASK_CLOSING CHECKPOINT_DECLINED_SUBSUMED CHECKPOINT_DECLINED_ON_CANCELLATION_BARRIER
  CHECKPOINT_DECLINED_INPUT_END_OF_STREAM CHECKPOINT_COORDINATOR_SHUTDOWN CHECKPOINT_COORDINATOR_SUSPEND JOB_FAILOVER_REGION TASK_FAILURE
  TASK_CHECKPOINT_FAILURE UNKNOWN_TASK_CHECKPOINT_NOTIFICATION_FAILURE FINALIZE_CHECKPOINT_FAILURE TRIGGER_CHECKPOINT_FAILURE`.split(/\s+/);

describe('Flink’s reasons', () => {
  const page = readFileSync(new URL('../../docs/checkpoints.md', import.meta.url), 'utf8');
  const [there = '', notThere = ''] = page.split('## Why a checkpoint fails')[1]?.split('### Flink’s other reasons') ?? [];
  const namesIn = (text: string): readonly string[] => [...text.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name!);

  test('are the only ones there are, and the page has each with whether it counts', () => {
    expect(failureReasons.filter((reason) => !flinks.includes(reason))).toEqual([]);
    expect(namesIn(there).toSorted()).toEqual(failureReasons.toSorted());
    for (const [reason, { counted }] of each) expect(there).toMatch(new RegExp(`^\\| \`${reason}\` +\\| ${counted ? 'yes' : 'no'} `, 'm'));
  });

  test('that cannot occur here are on the page too', () => {
    const others = flinks.filter((reason) => !isFailureReason(reason));
    expect(namesIn(notThere).toSorted()).toEqual(others.toSorted());
  });
});
