/** Scenario 23: a savepoint while a checkpoint is on its way, under back-pressure. */
import { expect } from 'vitest';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import { validateSavepoint } from '../../lib/savepoint/validate-savepoint.ts';
import { countingJob, expectWhole, numbersInput } from './counting-job.ts';
import { slowStores } from './faulty-stores.ts';
import { scenario } from './scenario.ts';
import { until, useWorld } from './support.ts';

const world = useWorld();

scenario(23, 'it completes while the load goes on, checkpoints go on beside it, and it commits nothing', async (mode) => {
  const input = numbersInput(20);
  const { collect } = world;
  const { publish } = collect;
  const tooEarly: string[] = [];
  collect.publish = async (spec, part, by) => {
    // Only checkpoints move this number: an intermediate savepoint does not.
    if ((await run.record()).completed < part.checkpoint) tooEarly.push(part.target);
    return publish(spec, part, by);
  };
  const run = await world.start(countingJob(input), { stores: slowStores(['count'], 60) });
  const { stores, job, engine } = run.running;
  input.open(0.9);
  await run.untilRead('numbers', 300);
  await until(async () => (await run.record()).pending.length > 0);
  const before = await run.record();
  const location = await run.savepoint();
  const after = await run.record();
  // Nothing has come to its end: the savepoint did not wait for the load to be over.
  expect((await stores.shards.read({ job, uid: operatorUid('count'), shard: 0 }))!.recordsIn).toBeLessThan(1_700);
  expect(after).toMatchObject({ status: 'RUNNING', ended: {} });
  expect((await validateSavepoint(createFsSavepointFolders().at(location))).reasons).toEqual([]);
  const history = await engine.coordinator.history.read(job);
  const saved = history.find((entry) => entry.kind === 'checkpoint' && entry.checkpointKind === 'savepoint')!;
  expect(saved.id).toBeGreaterThan(before.pending[0]!.id);
  expect(after.completed).not.toBe(saved.id);
  for (const n of [1, 2]) await until(async () => (await run.record()).counts.completed >= after.counts.completed + n);
  input.open(1);
  const record = await run.finished();
  world.expectOvertaken(mode);
  expect(record.counts.failed).toBe(0);
  expect(tooEarly).toEqual([]);
  expectWhole(world.collect.published('all'));
});
