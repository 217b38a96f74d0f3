/**
 * Scenario 17: checkpoints that fail, one after the other, and how many of them are borne. Shards are not notified of an abort: the job record names the
 * number up to which every checkpoint is over, and each shard releases once what it held for it.
 */
import { expect } from 'vitest';
import { SluiceError } from '../../lib/base/errors.ts';
import type { LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { CoordinatorWorld } from '../coordinator/coordinator-world.ts';
import { job } from '../checkpoint/fixture.ts';
import { counter } from '../checkpoint/plans.ts';
import { countingJob, expectWhole, numbersInput } from './counting-job.ts';
import { memoryStoresWith } from './faulty-stores.ts';
import { scenario, settingsOfScenario } from './scenario.ts';
import { until, useWorld, type GatedInput, type Run } from './support.ts';

const world = useWorld();

interface Failing {
  readonly stores: LocalStores;
  /** The next so-many checkpoints fail. */
  readonly fail: (count: number) => void;
}

/** What they would be known by cannot be written. */
function unwritable(): Failing {
  let toFail = 0;
  const stores = memoryStoresWith(({ objects }) => ({
    objects: {
      createIfAbsent: async (key, bytes) => {
        if (toFail > 0 && key.includes('/manifests/')) {
          toFail--;
          throw new SluiceError('SLUICE-REFUSED', 'this manifest cannot be written', { hint: 'Fail.', facts: { key } });
        }
        return objects.createIfAbsent(key, bytes);
      },
    },
  }));
  return { stores, fail: (count) => (toFail = count) };
}

/** Fails so many in a row, with something new to hold, and waits for what completes after them. */
async function failInARow(run: Run, { fail }: Failing, count: number, open: () => void): Promise<void> {
  const before = (await run.record()).counts;
  fail(count);
  open();
  await until(async () => (await run.record()).counts.failed >= before.failed + count);
  await until(async () => (await run.record()).counts.completed > before.completed);
  expect((await run.record()).counts.failed).toBe(before.failed + count);
}

scenario(
  17,
  'two that cannot be finished in a row are borne, a success in between resets, and the third in a row restores the job',
  async () => {
    const input: GatedInput<number> = numbersInput();
    const failing = unwritable();
    const run = await world.start(countingJob(input), { stores: failing.stores, tolerableFailures: 2 });
    await run.twoCheckpoints([input], 0.2);
    // Twice two, with a success between them.
    await failInARow(run, failing, 2, () => input.open(0.35));
    expect(await run.record()).toMatchObject({ attempt: 1, failures: 0, status: 'RUNNING' });
    await failInARow(run, failing, 2, () => input.open(0.5));
    expect(await run.record()).toMatchObject({ attempt: 1, failures: 0, counts: { restored: 0 } });
    // One more than is borne.
    failing.fail(3);
    input.open(0.7);
    await until(async () => (await run.record()).attempt === 2);
    expect(await run.record()).toMatchObject({ counts: { restored: 1, failed: 7 } });
    input.open(1);
    await run.finished();
    expectWhole(world.collect.published('all'));
  },
);

/** One vertex of the job can be made to say nothing. */
async function withCounter(tolerableFailures: number): Promise<CoordinatorWorld> {
  const started = new CoordinatorWorld({ settings: { ...settingsOfScenario(), tolerableFailures, timeoutMs: 10_000 } });
  await started.start();
  await started.dirty();
  return started;
}

scenario(17, 'two that expire in a row are borne, a success in between resets, and the third in a row restores the job', async () => {
  const expiring = await withCounter(2);
  const expireAll = async (numbers: readonly number[]): Promise<void> => {
    expiring.mute.add(counter);
    for (const number of numbers) {
      await expiring.advance(1_100);
      expect((await expiring.record()).pending).toMatchObject([{ id: number }]);
      // What comes after the last of them is answered.
      if (number === numbers.at(-1)) expiring.mute.clear();
      await expiring.expire(number);
    }
  };
  await expireAll([1, 2]);
  expect(await expiring.record()).toMatchObject({ attempt: 1, failures: 2, counts: { failed: 2, restored: 0 } });
  await expiring.advance(1_100);
  expect(await expiring.record()).toMatchObject({ attempt: 1, failures: 0, completed: 3 });
  expiring.mute.add(counter);
  await expiring.dirty();
  await expireAll([4, 5]);
  expect(await expiring.record()).toMatchObject({ attempt: 1, failures: 2, counts: { failed: 4, restored: 0 } });
  expiring.mute.add(counter);
  await expireAll([6]);
  await expiring.advance(2_000);
  expect(await expiring.record()).toMatchObject({ attempt: 2, failures: 0, completed: 3, counts: { failed: 5, restored: 1 } });
});

scenario(17, 'one that is declined because a newer one came is not counted, however many there are', async () => {
  const declining = await withCounter(0);
  declining.mute.add(counter);
  for (let checkpoint = 1; checkpoint <= 3; checkpoint++) {
    await declining.advance(1_100);
    expect((await declining.record()).pending).toMatchObject([{ id: checkpoint }]);
    const reason = 'CHECKPOINT_DECLINED_SUBSUMED';
    await declining.tell({ kind: 'declined', job, attempt: 1, uid: counter, shard: 0, checkpoint, reason });
    await declining.settle();
    expect(await declining.record()).toMatchObject({ attempt: 1, failures: 0, counts: { failed: checkpoint } });
  }
});
