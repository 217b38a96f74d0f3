import { describe, expect, test } from 'vitest';
import { jobFailed } from '../../lib/coordinator/fail-job.ts';
import { requestCancel } from '../../lib/coordinator/cancel-job.ts';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import { turnEventSources } from '../../lib/coordinator/turn-event-sources.ts';
import { job } from '../checkpoint/fixture.ts';
import { source } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

async function withCheckpoint(): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld({ settings: { retentionOnCancellation: 'retain' } });
  await world.start();
  await world.dirty();
  await world.advance(1_100);
  return world;
}

async function restore(world: CoordinatorWorld, trigger: string): Promise<void> {
  const order = { checkpoint: 'newest', publishedSeen: null, newPlan: null, allowNonRestoredState: false, allowOtherJob: false } as const;
  await restoreCheckpoint(world.deps, { job, trigger, ...order });
  await world.settle();
}

const failure = { code: 'SLUICE-USER', message: 'no', hint: '', facts: {}, operator: source, shard: 0, atMs: 0 };

describe('the event sources of a job', () => {
  test('are on while it runs', async () => {
    const world = await withCheckpoint();
    expect(world.eventSources.isOn(job)).toBe(true);
  });

  test('are turned off when it fails, and on again by its restore', async () => {
    const world = await withCheckpoint();
    await jobFailed(world.deps, await world.record(), failure);
    await world.settle();
    expect((await world.record()).status).toBe('FAILED');
    expect(world.eventSources.isOn(job)).toBe(false);
    await restore(world, 'r1');
    expect((await world.record()).status).toBe('RUNNING');
    expect(world.eventSources.isOn(job)).toBe(true);
  });

  test('are turned off when it is canceled, once more after a restore', async () => {
    const world = await withCheckpoint();
    for (const trigger of ['r1', 'r2']) {
      await requestCancel(world.deps, job);
      await world.settle();
      expect((await world.record()).status).toBe('CANCELED');
      expect(world.eventSources.isOn(job)).toBe(false);
      await restore(world, trigger);
      expect(world.eventSources.isOn(job)).toBe(true);
    }
  });

  test('are tried until they take it, where an earlier turn is still under way', async () => {
    const world = await withCheckpoint();
    const turn = world.eventSources.turn.bind(world.eventSources);
    let busy = 3;
    world.eventSources.turn = (...turned) => (busy-- > 0 ? Promise.reject(new Error('ResourceInUseException')) : turn(...turned));
    await requestCancel(world.deps, job);
    await world.advance(10_000);
    expect(world.eventSources.isOn(job)).toBe(false);
  });

  test('end as the record wants it, where the job goes on while somebody still turns them off', async () => {
    const world = await withCheckpoint();
    await requestCancel(world.deps, job);
    await world.settle();
    const turn = world.eventSources.turn.bind(world.eventSources);
    const turns: string[] = [];
    world.eventSources.turn = async (which, to) => {
      // The slow one's turn to off takes effect behind the whole restore.
      if (turns.push(to) === 1) await restore(world, 'r1');
      await turn(which, to);
    };
    await turnEventSources(world.deps, { job });
    expect(turns).toEqual(['off', 'on', 'on']);
    expect(world.eventSources.isOn(job)).toBe(true);
  });

  test('that cannot be turned on are told by the restore that waits for them, which is tried on', async () => {
    const world = await withCheckpoint();
    await requestCancel(world.deps, job);
    await world.settle();
    const turn = world.eventSources.turn.bind(world.eventSources);
    world.eventSources.turn = () => Promise.reject(new Error('not authorized to perform lambda:UpdateEventSourceMapping'));
    await restore(world, 'r1');
    await world.advance(60_000);
    // A mapping may be busy, and a permission new.
    expect(await world.stores.operations.read(job, 'r1')).toMatchObject({ status: 'IN_PROGRESS', failure: null });
    await world.advance(120_000);
    expect((await world.record()).status).toBe('RESTARTING');
    expect(await world.stores.operations.read(job, 'r1')).toMatchObject({
      status: 'COMPLETED',
      failure: {
        code: 'SLUICE-EVENT-SOURCES-STUCK',
        message: expect.stringContaining('lambda:UpdateEventSourceMapping') as string,
        hint: expect.stringContaining('Deploy again') as string,
      },
    });
    world.eventSources.turn = turn;
    await world.advance(10_000);
    expect((await world.record()).status).toBe('RUNNING');
    expect(world.eventSources.isOn(job)).toBe(true);
  });

  test('of one whose end was noted by somebody who died then are turned off by the sweep', async () => {
    const world = await withCheckpoint();
    const turn = world.eventSources.turn.bind(world.eventSources);
    world.eventSources.turn = () => new Promise(() => undefined);
    await jobFailed(world.deps, await world.record(), failure);
    await world.settle();
    expect(world.eventSources.isOn(job)).toBe(true);
    world.eventSources.turn = turn;
    await world.advance(3_700_000);
    expect(world.eventSources.isOn(job)).toBe(false);
  });
});
