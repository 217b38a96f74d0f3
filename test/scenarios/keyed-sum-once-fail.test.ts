import { expect } from 'vitest';
import { collectSink, compileJob, defineJob, type, valueState, type CompiledJob } from '../../lib/index.ts';
import { exactlyOnce, scenario, scenarioIn } from './scenario.ts';
import { Fault, gatedInput, useWorld, type GatedInput } from './support.ts';

interface Item {
  readonly from: 'left' | 'right';
  readonly index: number;
  readonly key: number;
}

interface Result {
  readonly key: number;
  readonly sum: number;
  readonly count: number;
}

const perSource = 5_000;
const keys = 40;
const perKey = (2 * perSource) / keys;
const itemsOf = (from: Item['from']): readonly Item[] =>
  Array.from({ length: perSource }, (_, index) => ({ from, index, key: index % keys }));

const world = useWorld();
const fault = new Fault();

function sums(left: GatedInput<Item>, right: GatedInput<Item>): CompiledJob {
  const job = defineJob({
    name: 'keyed-sum',
    build(env) {
      env
        .fromSource(left.source)
        .uid('left')
        .union(env.fromSource(right.source).uid('right'))
        .keyBy(({ key }) => key)
        .process({
          emits: type<Omit<Result, 'count'>>(),
          state: { sum: valueState<number>() },
          process({ from, index, key }, { state, emit }) {
            const sum = (state.sum.value() ?? 0) + key;
            state.sum.update(sum);
            if (from === 'left' && index === perSource * 0.7) fault.meet();
            emit({ key, sum });
          },
        })
        .uid('sum')
        .keyBy(({ key }) => key)
        .process({
          emits: type<Result>(),
          state: { count: valueState<number>() },
          process({ key, sum }, { state, emit }) {
            const count = (state.count.value() ?? 0) + 1;
            state.count.update(count);
            emit({ key, sum, count });
          },
        })
        .uid('count')
        .sinkTo(collectSink('results'))
        .uid('results');
    },
  });
  return compileJob(job, { parallelism: 2 });
}

async function resultsByKey(failure: 'batch' | 'restore'): Promise<readonly (readonly Result[])[]> {
  // The barrier of the slow input comes late: meanwhile the other one brings what is not yet to be counted.
  const inputs = [gatedInput('left', [itemsOf('left')], 20, 1), gatedInput('right', [itemsOf('right')], 97, 8)] as const;
  const run = await world.start(sums(...inputs));
  await run.twoCheckpoints(inputs, 0.5);
  await run.sufferAndFinish(failure, fault, inputs);
  const results = world.collect.published('results') as readonly Result[];
  return Array.from({ length: keys }, (_, key) => results.filter((result) => result.key === key));
}

async function expectExact(failure: 'batch' | 'restore'): Promise<void> {
  const byKey = await resultsByKey(failure);
  for (const [key, results] of byKey.entries()) {
    const expected = Array.from({ length: perKey }, (_, i) => ({ key, sum: key * (i + 1), count: i + 1 }));
    expect(results.toSorted((a, b) => a.count - b.count)).toEqual(expected);
  }
}

// Nothing goes back, so nothing is read twice: the weaker mode shows in a restore only.
scenario(1, 'every sum and count is exact, and every result visible once, though a batch fails', () => expectExact('batch'));

scenarioIn(exactlyOnce, 1, 'every sum and count is exact, and every result visible once, though the job is restored', () =>
  expectExact('restore'),
);

scenarioIn(['at-least-once'], 1, 'a restore loses nothing, and may count what was between two barriers again', async () => {
  const byKey = await resultsByKey('restore');
  for (const [key, results] of byKey.entries()) {
    expect(Math.max(...results.map(({ sum }) => sum))).toBeGreaterThanOrEqual(key * perKey);
    expect(Math.max(...results.map(({ count }) => count))).toBeGreaterThanOrEqual(perKey);
  }
});
