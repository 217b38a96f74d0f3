import { expect } from 'vitest';
import {
  collectSink,
  compileJob,
  defineJob,
  monotonousTimestamps,
  slidingEventTime,
  tumblingEventTime,
  type AggregateFunction,
  type CompiledJob,
  type WindowAssigner,
} from '../../lib/index.ts';
import { exactlyOnce, scenario, scenarioIn } from './scenario.ts';
import { Fault, gatedInput, useWorld, type Failure, type GatedInput } from './support.ts';

interface Reading {
  readonly key: number;
  /** Its event time too. */
  readonly value: number;
}

interface Result {
  readonly key: number;
  readonly start: number;
  readonly sum: number;
  readonly count: number;
}

const perKey = 3_000;
/** In two splits, so that a window's watermark comes from two shards. Each key's readings are in one of them. */
const splitsOf = (keys: number): readonly (readonly Reading[])[] =>
  [0, 1].map((split) =>
    Array.from({ length: (keys / 2) * perKey }, (_, n) => ({ key: 2 * (n % (keys / 2)) + split, value: Math.floor(n / (keys / 2)) })),
  );
const middleOfWindow = 1_500;

const world = useWorld();
const fault = new Fault();

const sumAndCount: AggregateFunction<Reading, readonly [number, number], readonly [number, number]> = {
  createAccumulator: () => [0, 0],
  add: ({ value }, [sum, count]) => [sum + value, count + 1],
  getResult: (accumulator) => accumulator,
};

function windows({ source }: GatedInput<Reading>, assigner: WindowAssigner): CompiledJob {
  const timestampOf = ({ key, value }: Reading): number => {
    if (key === 7 && value === middleOfWindow) fault.meet();
    return value;
  };
  const job = defineJob({
    name: 'windows',
    build(env) {
      env
        .fromSource(source, { watermarks: monotonousTimestamps(timestampOf) })
        .uid('readings')
        .setParallelism(2)
        .keyBy(({ key }) => key)
        .window(assigner)
        .aggregate(sumAndCount, ([sum, count], { key, window }): Result => ({ key, start: window.start, sum, count }))
        .uid('windows')
        .sinkTo(collectSink('windows'))
        .uid('results');
    },
  });
  return compileJob(job, { parallelism: 2 });
}

interface Given {
  readonly keys: number;
  readonly assigner: WindowAssigner;
  readonly failure: Failure | 'reader';
}

async function resultsOf({ keys, assigner, failure }: Given): Promise<readonly Result[]> {
  const input = gatedInput('readings', splitsOf(keys), 4_096);
  const run = await world.start(windows(input, assigner));
  await run.twoCheckpoints([input], 0.4);
  if (failure === 'reader') {
    input.failOnceAt((middleOfWindow * keys) / 2);
    input.open(1);
    await run.finished();
  } else {
    await run.sufferAndFinish(failure, fault, [input]);
  }
  const results = world.collect.published('windows') as readonly Result[];
  return results.toSorted((a, b) => a.key - b.key || a.start - b.start);
}

/** A fold over the input that shares nothing with the engine. */
function expectedOf(keys: number, sizeMs: number, slideMs: number): readonly Result[] {
  return Array.from({ length: keys }, (_, key) => key).flatMap((key) => {
    const results: Result[] = [];
    for (let start = slideMs - sizeMs; start < perKey; start += slideMs) {
      const values = Array.from({ length: sizeMs }, (_, i) => start + i).filter((value) => value >= 0 && value < perKey);
      results.push({ key, start, sum: values.reduce((a, b) => a + b, 0), count: values.length });
    }
    return results;
  });
}

async function expectTumbling(failure: Given['failure']): Promise<void> {
  const results = await resultsOf({ keys: 100, assigner: tumblingEventTime(1_000), failure });
  expect(results).toEqual(expectedOf(100, 1_000, 1_000));
  expect(results.slice(0, 3).map(({ sum }) => sum)).toEqual([499_500, 1_499_500, 2_499_500]);
}

async function expectSliding(keys: number, failure: Given['failure']): Promise<void> {
  const results = await resultsOf({ keys, assigner: slidingEventTime(1_000, 100), failure });
  expect(results).toEqual(expectedOf(keys, 1_000, 100));
  expect(results.reduce((sum, { count }) => sum + count, 0)).toBe(10 * keys * perKey);
}

// Nothing goes back where only a read or a batch fails, so nothing is read twice.
scenario(3, 'every key has exactly its three sums, each once, though the source fails in a window', () => expectTumbling('reader'));
scenario(3, 'every key has exactly its three sums, each once, though a batch fails in a window', () => expectTumbling('batch'));
scenarioIn(exactlyOnce, 3, 'every key has exactly its three sums, each once, though the job is restored in a window', () =>
  expectTumbling('restore'),
);

scenarioIn(['at-least-once'], 3, 'a restore leaves nothing out, and may count what was between two barriers again', async () => {
  const results = await resultsOf({ keys: 100, assigner: tumblingEventTime(1_000), failure: 'restore' });
  for (const { key, start, count } of expectedOf(100, 1_000, 1_000)) {
    const found = results.filter((result) => result.key === key && result.start === start);
    expect(Math.max(...found.map((result) => result.count))).toBeGreaterThanOrEqual(count);
  }
});

// Ten windows for each reading: a hundred keys where most can go wrong, fewer in the other runs.
scenario(4, 'every reading counts in exactly ten windows, though the source fails in one', () => expectSliding(10, 'reader'));
scenario(4, 'every reading counts in exactly ten windows, though a batch fails in one', () => expectSliding(10, 'batch'));
scenarioIn(exactlyOnce, 4, 'every reading counts in exactly ten windows, though the job is restored in one', (mode) =>
  expectSliding(mode === 'aligned' ? 100 : 20, 'restore'),
);
