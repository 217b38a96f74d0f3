/** Barriers that overtake what is in flight, in the whole engine, with an operator that is slower than its source. */
import { expect, test } from 'vitest';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import { collectSink, compileJob, defineJob, type, valueState, type CompiledJob } from '../../lib/index.ts';
import { openSavepoint } from '../../lib/savepoint/open-savepoint.ts';
import { validateSavepoint } from '../../lib/savepoint/validate-savepoint.ts';
import { slowStores } from './faulty-stores.ts';
import { gatedInput, until, useWorld, type Run } from './support.ts';

const keys = 23;
const total = 4_600;
const input = gatedInput('numbers', [Array.from({ length: total }, (_, n) => n)], 50);
const world = useWorld();

/** A plain operator and a keyed one: with one subtask the first is chained to the source, with more it is fed by a rebalance. */
function sums(parallelism: number): CompiledJob {
  const job = defineJob({
    name: 'sums',
    build(env) {
      env
        .fromSource(input.source)
        .uid('numbers')
        .setParallelism(1)
        .map((n) => n)
        .uid('slow')
        .keyBy((n) => n % keys)
        .process({
          emits: type<{ key: number; n: number; count: number }>(),
          state: { count: valueState<number>() },
          process(n, { key, state, emit }) {
            state.count.update((state.count.value() ?? 0) + 1);
            emit({ key, n, count: state.count.value()! });
          },
        })
        .uid('sums')
        .sinkTo(collectSink('sums'))
        .uid('results');
    },
  });
  return compileJob(job, { parallelism, maxParallelism: 16 });
}

function expectExact(): void {
  const visible = world.collect.published('sums') as readonly { key: number; n: number; count: number }[];
  expect(visible.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, n) => n));
  const counts = visible.map(({ key, count }) => `${key} ${count}`);
  expect(new Set(counts).size).toBe(total);
}

/** Runs until the source is well ahead of what follows. */
async function backedUp(parallelism: number): Promise<Run> {
  input.open(1);
  const run = await world.start(sums(parallelism), { unaligned: true, stores: slowStores(['slow', 'sums'], 40) });
  await run.untilRead('numbers', 2_500);
  return run;
}

test.each([
  [2, 3],
  [3, 1],
  [1, 2],
])('unaligned: a savepoint holds the records in flight, and a job of %i subtasks goes on from it with %i', async (before, after) => {
  const run = await backedUp(before);
  const location = await run.savepoint('cancel');
  await run.canceled();
  const folder = createFsSavepointFolders().at(location);
  const { inFlight = [] } = await openSavepoint(folder);
  expect(inFlight.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(0);
  expect((await validateSavepoint(folder)).reasons).toEqual([]);
  const next = await world.start(sums(after), { unaligned: true, fromSavepoint: location });
  await next.finished();
  expectExact();
});

test('unaligned: records in flight are replayed after a restore of the running job, again and again', async () => {
  const run = await backedUp(2);
  for (let round = 0; round < 3; round++) {
    const { completed } = (await run.record()).counts;
    await until(async () => (await run.record()).counts.completed > completed);
    await run.restore();
  }
  expect((await run.finished()).counts.restored).toBe(3);
  expectExact();
});

test('unaligned: with a timeout a checkpoint that is aligned in time overtakes nothing', async () => {
  input.open(1);
  const run = await world.start(sums(2), { unaligned: true, alignedTimeoutMs: 600_000 });
  await run.finished();
  const history = await run.running.engine.coordinator.history.read(run.running.job);
  const vertices = history.flatMap((entry) => (entry.kind === 'checkpoint' ? entry.vertices : []));
  expect(vertices.length).toBeGreaterThan(0);
  expect(vertices.filter(({ unaligned }) => unaligned)).toEqual([]);
  expectExact();
});
