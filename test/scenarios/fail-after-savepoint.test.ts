/** Scenario 15: the sink's commit throws after a stop with savepoint has written it. */
import { expect } from 'vitest';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import { stopWithSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import type { OperationRecord } from '../../lib/ports/records.ts';
import { countingJob, expectWhole, numbersInput } from './counting-job.ts';
import { scenario } from './scenario.ts';
import { until, useWorld, type GatedInput, type Run } from './support.ts';

const world = useWorld();
interface Stopping {
  readonly run: Run;
  readonly input: GatedInput<number>;
  readonly location: string;
  readonly operation: () => Promise<OperationRecord>;
  readonly repair: () => void;
  readonly shownBefore: number;
}

/** A stop whose savepoint is whole, and whose sink cannot commit. Half of the input has been read, and its last tenth not been shown. */
async function stopping(): Promise<Stopping> {
  const input = numbersInput();
  const run = await world.start(countingJob(input), { dataDir: 'first' });
  await run.checkpointAfter(() => input.open(0.4));
  await run.untilRead('count', 800);
  await run.settled();
  await until(async () => (await run.record()).published === (await run.record()).completed);
  const { collect } = world;
  const { publish } = collect;
  let isBroken = true;
  let refusals = 0;
  collect.publish = async (sink, part, by) => {
    if (!isBroken) return publish(sink, part, by);
    refusals++;
    throw new Error('the target is full');
  };
  const shownBefore = collect.published('all').length;
  const { engine, job, stores } = run.running;
  const trigger = systemRandom.hex(32);
  input.open(0.5);
  await run.untilRead('numbers', 1_000);
  await stopWithSavepoint(engine.coordinator, { job, trigger, directory: world.folder, stop: 'suspend' });
  const operation = async (): Promise<OperationRecord> => (await stores.operations.read(job, trigger))!;
  await until(async () => (await operation()).location !== null && refusals > 0);
  const { location } = await operation();
  return { run, input, location: location!, operation, repair: () => (isBroken = false), shownBefore };
}

scenario(15, 'a sink that cannot commit holds the stop up, the savepoint is named, and when it can the job ends', async () => {
  const { run, operation, location, repair, shownBefore, input } = await stopping();
  expect(await operation()).toMatchObject({ status: 'IN_PROGRESS', location, failure: null });
  expect(world.collect.published('all')).toHaveLength(shownBefore);
  repair();
  await run.finished();
  input.open(1);
  const second = await world.start(countingJob(input), { dataDir: 'second', fromSavepoint: location });
  await second.finished();
  expectWhole(world.collect.published('all'));
});

scenario(
  15,
  'a start from the savepoint commits what the sink could not, and when the stopped job still does, it is shown once',
  async () => {
    const { run, location, repair, shownBefore, input } = await stopping();
    await run.close();
    expect(world.collect.published('all')).toHaveLength(shownBefore);
    repair();
    input.open(1);
    const second = await world.start(countingJob(input), { dataDir: 'second', fromSavepoint: location });
    await second.finished();
    expectWhole(world.collect.published('all'));
    const first = await world.start(countingJob(input), { dataDir: 'first' });
    await first.finished();
    expectWhole(world.collect.published('all'));
  },
);

scenario(15, 'a stop that a restore has come before reports its failure and where the savepoint is, and the job runs on', async () => {
  const { run, operation, location, repair, input } = await stopping();
  const { engine, job } = run.running;
  const how = { publishedSeen: null, newPlan: null, allowNonRestoredState: false, allowOtherJob: false };
  await restoreCheckpoint(engine.coordinator, { job, trigger: systemRandom.hex(32), checkpoint: 'newest', ...how });
  await until(async () => (await run.record()).attempt === 2);
  repair();
  await until(async () => (await operation()).status === 'COMPLETED');
  const { failure, location: told } = await operation();
  expect(told).toBe(location);
  expect(failure!.message).toContain(`A savepoint has been created at: ${location}, but the job could not be stopped`);
  input.open(1);
  expect(await run.finished()).toMatchObject({ attempt: 2 });
  expectWhole(world.collect.published('all'));
});
