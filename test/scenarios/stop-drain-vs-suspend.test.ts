import { expect } from 'vitest';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import {
  collectSink,
  compileJob,
  defineJob,
  monotonousTimestamps,
  operatorList,
  outputTag,
  tumblingEventTime,
  type,
  type CompiledJob,
} from '../../lib/index.ts';
import { openSavepoint } from '../../lib/savepoint/open-savepoint.ts';
import { scenario } from './scenario.ts';
import { gatedInput, useWorld } from './support.ts';

interface Reading {
  readonly key: number;
  readonly time: number;
}

interface Result {
  readonly key: number;
  readonly start: number;
  readonly count: number;
}

/** What a subtask says when it ends. */
interface End {
  readonly subtask: number;
  readonly resultsBefore: number;
}

const keys = 20;
const size = 1_000;
/** Half of them end in the middle of the third window. */
const lasting = 5_000;
const input = gatedInput<Reading>(
  'readings',
  [Array.from({ length: keys * lasting }, (_, n) => ({ key: n % keys, time: Math.floor(n / keys) }))],
  999,
);

const world = useWorld();
const ends = outputTag<End>('ends');

function windows(parallelism: number): CompiledJob {
  const job = defineJob({
    name: 'windows',
    build(env) {
      const results = env
        .fromSource(input.source, { watermarks: monotonousTimestamps(({ time }) => time) })
        .uid('readings')
        .keyBy(({ key }) => key)
        .window(tumblingEventTime(size))
        .aggregate(
          { createAccumulator: () => 0, add: (_, sum: number) => sum + 1, getResult: (sum) => sum },
          (count, { key, window }): Result => {
            return { key, start: window.start, count };
          },
        )
        .uid('windows')
        .process({
          emits: type<Result>(),
          operatorState: { seen: operatorList<number>(), finished: operatorList<string>() },
          process(result, { operatorState: { seen }, emit }) {
            seen.add(result.start);
            emit(result);
          },
          finish({ operatorState: { seen, finished }, subtask, emitTo }) {
            finished.add(`subtask ${subtask}`);
            emitTo(ends, { subtask, resultsBefore: seen.items().length });
          },
        })
        .uid('last');
      results.sinkTo(collectSink('results')).uid('results');
      results.getSideOutput(ends).sinkTo(collectSink('ends')).uid('ends');
    },
  });
  return compileJob(job, { parallelism });
}

const results = (): readonly Result[] => world.collect.published('results') as readonly Result[];
const endsSeen = (): readonly End[] => (world.collect.published('ends') as readonly End[]).toSorted((a, b) => a.subtask - b.subtask);

/** `results` by window and key; where a window was emitted twice, both together. */
function counts(): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { key, start, count } of results()) sums.set(`${start}/${key}`, (sums.get(`${start}/${key}`) ?? 0) + count);
  return sums;
}

async function stopHalfWay(stop: 'drain' | 'suspend'): Promise<{ readonly savepoint: string; readonly finished: readonly unknown[] }> {
  input.open(0);
  const run = await world.start(windows(2));
  await run.twoCheckpoints([input], 0.5);
  await run.untilRead('readings', (keys * lasting) / 2);
  const savepoint = await run.stop(stop);
  const { shards } = await openSavepoint(createFsSavepointFolders().at(savepoint));
  const finished = shards.flatMap(({ operatorStates }) =>
    Object.values(operatorStates).flatMap((states) => states['finished']?.items ?? []),
  );
  return { savepoint, finished: finished.map((text) => JSON.parse(text) as unknown).toSorted() };
}

async function resume(savepoint: string): Promise<void> {
  const run = await world.start(windows(3), { fromSavepoint: savepoint });
  input.open(1);
  await run.finished();
}

const windowsOfKey = lasting / size;
const everyWindowOnce = new Map(
  Array.from({ length: windowsOfKey }, (_, n) => Array.from({ length: keys }, (__, key) => [`${n * size}/${key}`, size] as const)).flat(),
);

scenario(
  14,
  'with drain open windows are flushed, every subtask ends once before its snapshot, and a resumed job adds the rest',
  async (mode) => {
    const { savepoint, finished } = await stopHalfWay('drain');
    // Two whole windows of each key and half of the third.
    expect(results()).toHaveLength(3 * keys);
    expect(counts().get(`${2 * size}/0`)).toBe(size / 2);
    expect(finished).toEqual(['subtask 0', 'subtask 1']);
    // All results came before the end: watermark, then end of input, then finish.
    expect(endsSeen().map(({ subtask }) => subtask)).toEqual([0, 1]);
    expect(endsSeen().reduce((sum, { resultsBefore }) => sum + resultsBefore, 0)).toBe(3 * keys);

    await resume(savepoint);
    world.expectOvertaken(mode);
    expect(counts()).toEqual(everyWindowOnce);
    expect(results()).toHaveLength((windowsOfKey + 1) * keys);
    expect(endsSeen().map(({ subtask }) => subtask)).toEqual([0, 0, 1, 1, 2]);
  },
);

scenario(14, 'without drain nothing is flushed and nothing ends, and a resumed job emits every window once', async (mode) => {
  const { savepoint, finished } = await stopHalfWay('suspend');
  expect(results()).toHaveLength(2 * keys);
  expect(finished).toEqual([]);
  expect(endsSeen()).toEqual([]);

  await resume(savepoint);
  world.expectOvertaken(mode);
  expect(counts()).toEqual(everyWindowOnce);
  expect(results()).toHaveLength(windowsOfKey * keys);
  expect(endsSeen().map(({ subtask }) => subtask)).toEqual([0, 1, 2]);
  expect(endsSeen().reduce((sum, { resultsBefore }) => sum + resultsBefore, 0)).toBe(windowsOfKey * keys);
});
