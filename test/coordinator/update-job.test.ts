import { expect, test } from 'vitest';
import { abortCheckpoint } from '../../lib/checkpoint/abort.ts';
import { updateJob } from '../../lib/coordinator/update-job.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter } from '../checkpoint/plans.ts';
import { CoordinatorWorld } from './coordinator-world.ts';

test('a write whose answer was lost is known as one’s own, and whoever waits for what it has ended is told', async () => {
  const world = new CoordinatorWorld();
  await world.start();
  world.mute.add(counter);
  await world.dirty();
  await world.advance(1_100);
  const [pending] = (await world.record()).pending;
  const waiting = async (): Promise<boolean> => (await world.stores.flows.running()).some(({ name }) => name === pending!.flow);
  expect(await waiting()).toBe(true);
  let writes = 0;
  const jobs = {
    ...world.stores.jobs,
    read: () => world.stores.jobs.read(job),
    // As an SDK has it that asks again: the first try was stored, the second finds its own version.
    replace: async (...given: Parameters<typeof world.stores.jobs.replace>) => {
      writes++;
      await world.stores.jobs.replace(...given);
      return 'conflict' as const;
    },
  };
  const end = (record: Parameters<typeof abortCheckpoint>[0]) =>
    abortCheckpoint(record, pending!.id, 'CHECKPOINT_EXPIRED', world.deps.clock.now());
  const updated = await updateJob({ ...world.deps, jobs }, job, end, 'CHECKPOINT_EXPIRED');
  await world.settle();
  expect([updated.outcome, writes]).toEqual(['changed', 1]);
  expect(await waiting()).toBe(false);
  const history = await world.stores.history.read(job);
  expect(history).toContainEqual(
    expect.objectContaining({
      kind: 'checkpoint',
      id: pending!.id,
      failure: expect.objectContaining({ reason: 'CHECKPOINT_EXPIRED' }) as unknown,
    }),
  );
});
