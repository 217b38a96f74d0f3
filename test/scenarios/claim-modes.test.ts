/**
 * Scenario 10: whose a savepoint is that a job has started from. Sluice has one claim mode, Flink's NO_CLAIM, and copies the state when it starts; so unlike
 * there the savepoint may go before the first checkpoint too.
 */
import { readdir, rm } from 'node:fs/promises';
import { expect } from 'vitest';
import { countingJob, expectWhole, numbersInput } from './counting-job.ts';
import { scenario } from './scenario.ts';
import { useWorld, type GatedInput } from './support.ts';

const world = useWorld();

async function stoppedHalfWay(): Promise<{ readonly savepoint: string; readonly input: GatedInput<number> }> {
  const input = numbersInput();
  const run = await world.start(countingJob(input), { dataDir: 'first' });
  await run.twoCheckpoints([input], 0.5);
  return { savepoint: await run.stop('suspend'), input };
}

scenario(10, 'once the first checkpoint is there the savepoint may be deleted, and the job gets over a failure', async () => {
  const { savepoint, input } = await stoppedHalfWay();
  const run = await world.start(countingJob(input), { dataDir: 'second', fromSavepoint: savepoint });
  await run.checkpointAfter(() => input.open(0.7));
  const files = await readdir(savepoint, { recursive: true });
  expect(files).toContain('_metadata.json');
  await rm(savepoint, { recursive: true });
  await run.restore();
  input.open(1);
  await run.finished();
  expectWhole(world.collect.published('all'));
});

scenario(10, 'deleted before the first checkpoint it is not missed either: its state was copied', async () => {
  const { savepoint, input } = await stoppedHalfWay();
  const run = await world.start(countingJob(input), { dataDir: 'second', fromSavepoint: savepoint });
  expect((await run.record()).counts.completed).toBe(0);
  await rm(savepoint, { recursive: true });
  await run.restore();
  input.open(1);
  await run.finished();
  expectWhole(world.collect.published('all'));
});

scenario(10, 'deleted before the start it is refused by name', async () => {
  const { savepoint, input } = await stoppedHalfWay();
  await rm(savepoint, { recursive: true });
  await expect(world.start(countingJob(input), { dataDir: 'second', fromSavepoint: savepoint })).rejects.toMatchObject({
    code: 'SLUICE-REFUSED',
    message: expect.stringContaining(savepoint) as string,
  });
});

scenario(10, 'two jobs start from the same savepoint, and neither notices the other', async () => {
  const { savepoint, input } = await stoppedHalfWay();
  const before = world.collect.published('all');
  const second = await world.start(countingJob(input), { dataDir: 'second', fromSavepoint: savepoint });
  const third = await world.start(countingJob(input), { dataDir: 'third', fromSavepoint: savepoint });
  await second.checkpointAfter(() => input.open(0.7));
  await third.restore();
  input.open(1);
  await Promise.all([second.finished(), third.finished()]);
  const parts = [...world.collect.publishedParts('all')];
  for (const { running } of [second, third]) {
    const own = parts.filter(([target]) => target.startsWith(running.job.slice(0, 8))).flatMap(([, records]) => records);
    expectWhole([...before, ...own]);
  }
});
