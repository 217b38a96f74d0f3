import { expect } from 'vitest';
import { readPlan } from '../../lib/coordinator/coordinator-deps.ts';
import { collectSink, compileJob, defineJob, type, valueState, type CompiledJob, type CompileOptions } from '../../lib/index.ts';
import { canonicalKey } from '../../lib/model/canonical-key.ts';
import { keyGroupOf } from '../../lib/model/key-group.ts';
import { scenario } from './scenario.ts';
import { gatedInput, until, useWorld } from './support.ts';

interface Sum {
  readonly key: number;
  readonly sum: number;
  readonly subtask: number;
}

const keys = 42;
const maxParallelism = 13;
const before = 1_000;
const after = 500;
const input = gatedInput('numbers', [Array.from({ length: keys * (before + after) }, (_, n) => n % keys)], 2_000);

const world = useWorld();

function sums(options: CompileOptions): CompiledJob {
  const job = defineJob({
    name: 'sums',
    build(env) {
      env
        .fromSource(input.source)
        .uid('numbers')
        .keyBy((key) => key)
        .process({
          emits: type<Sum>(),
          state: { sum: valueState<number>() },
          process(value, { key, state, subtask, emit }) {
            state.sum.update((state.sum.value() ?? 0) + value);
            emit({ key, sum: state.sum.value()!, subtask });
          },
        })
        .uid('sums')
        .sinkTo(collectSink('sums'))
        .uid('results');
    },
  });
  return compileJob(job, options);
}

/** Where the key belongs: its key group times parallelism, over max parallelism. */
const subtaskOf = (key: number, parallelism: number): number =>
  Math.floor((keyGroupOf(canonicalKey(key), maxParallelism) * parallelism) / maxParallelism);

const visible = (): readonly Sum[] => world.collect.published('sums') as readonly Sum[];

/** A thousand of every key are summed and visible, and the job has stopped. */
async function stoppedAfterThousand(parallelism: number): Promise<string> {
  input.open(0);
  const run = await world.start(sums({ parallelism, maxParallelism }));
  await run.twoCheckpoints([input], 0.3);
  input.open(before / (before + after) + Number.EPSILON);
  await until(async () => visible().length === before * keys);
  return run.stop('suspend');
}

function expectSums(parallelism: number, from: number, to: number): void {
  const expected = Array.from({ length: keys }, (_, key) =>
    Array.from({ length: to - from }, (__, i) => ({ key, sum: key * (from + i + 1), subtask: subtaskOf(key, parallelism) })),
  );
  const byKey = Array.from({ length: keys }, (_, key) => visible().filter((sum) => sum.key === key));
  expect(byKey.map((found) => found.toSorted((a, b) => a.sum - b.sum))).toEqual(expected);
}

for (const [first, second] of [
  [2, 4],
  [4, 2],
] as const)
  scenario(11, `sums go on from ${first} to ${second} subtasks, each in the subtask that its key group belongs to`, async () => {
    const savepoint = await stoppedAfterThousand(first);
    expectSums(first, 0, before);
    world.emptySinks();
    const run = await world.start(sums({ parallelism: second, maxParallelism }), { fromSavepoint: savepoint });
    input.open(1);
    await run.finished();
    expectSums(second, before, before + after);
  });

scenario(11, 'another max parallelism is refused where it was set, and adopted from the savepoint where it was derived', async () => {
  const savepoint = await stoppedAfterThousand(2);
  world.emptySinks();
  const explicit = sums({ parallelism: 3, maxParallelism: 14 });
  await expect(world.start(explicit, { fromSavepoint: savepoint })).rejects.toMatchObject({
    code: 'SLUICE-REFUSED',
    message: expect.stringContaining('operator sums has max parallelism 14, its state 13') as string,
  });
  const run = await world.start(sums({ parallelism: 3 }), { fromSavepoint: savepoint });
  const { plan } = await readPlan(run.running.engine.coordinator, (await run.record()).plan);
  expect(plan.vertices.find(({ uid }) => uid === 'sums')).toMatchObject({ parallelism: 3, maxParallelism });
  input.open(1);
  await run.finished();
  expectSums(3, before, before + after);
});

scenario(11, 'more subtasks than key groups are refused', async () => {
  const savepoint = await stoppedAfterThousand(2);
  await expect(world.start(sums({ parallelism: 14 }), { fromSavepoint: savepoint })).rejects.toMatchObject({
    code: 'SLUICE-REFUSED',
    message: expect.stringContaining('parallelism 14, its state allows 13 at most') as string,
  });
});
