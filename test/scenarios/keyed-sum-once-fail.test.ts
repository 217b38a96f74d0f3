import { expect } from 'vitest';
import { collectSink, compileJob, defineJob, listState, outputTag, type, valueState, type CompiledJob } from '../../lib/index.ts';
import { exactlyOnce, scenario, scenarioIn, type Mode } from './scenario.ts';
import { Fault, gatedInput, useWorld, type Failure, type GatedInput } from './support.ts';

interface Item {
  readonly from: 'left' | 'right';
  readonly index: number;
  readonly key: number;
}

interface Summed {
  readonly key: number;
  readonly sum: number;
  readonly element: number;
}

interface Result {
  readonly key: number;
  readonly sum: number;
  readonly count: number;
}

const perSource = 5_000;
const keys = 40;
const perKey = (2 * perSource) / keys;
/** A number of its own. */
const elementOf = ({ from, index }: Pick<Item, 'from' | 'index'>): number => (from === 'left' ? index : perSource + index);
const itemsOf = (from: Item['from']): readonly Item[] =>
  Array.from({ length: perSource }, (_, index) => ({ from, index, key: index % keys }));

/** What state says at the end of which elements it has counted, as often as it has counted them. */
interface Held {
  readonly by: 'sum' | 'count';
  readonly key: number;
  readonly elements: readonly number[];
}

const held = outputTag<Held>('held');
const endOfTime = Number.MAX_SAFE_INTEGER;
const world = useWorld();
const fault = new Fault();

function sums(left: GatedInput<Item>, right: GatedInput<Item>): CompiledJob {
  const job = defineJob({
    name: 'keyed-sum',
    build(env) {
      const sums = env
        .fromSource(left.source)
        .uid('left')
        .union(env.fromSource(right.source).uid('right'))
        .keyBy(({ key }) => key)
        .process({
          emits: type<Summed>(),
          state: { sum: valueState<number>(), elements: listState<number>() },
          process({ from, index, key }, { state, timers, emit }) {
            const sum = (state.sum.value() ?? 0) + key;
            const element = elementOf({ from, index });
            state.sum.update(sum);
            state.elements.add(element);
            timers.registerEventTime(endOfTime);
            if (from === 'left' && index === perSource * 0.7) fault.meet();
            emit({ key, sum, element });
          },
          onTimer: (_timer, { key, state, emitTo }) => emitTo(held, { by: 'sum', key, elements: state.elements.get() }),
        })
        .uid('sum');
      const counts = sums
        .keyBy(({ key }) => key)
        .process({
          emits: type<Result>(),
          state: { count: valueState<number>(), elements: listState<number>() },
          process({ key, sum, element }, { state, timers, emit }) {
            const count = (state.count.value() ?? 0) + 1;
            state.count.update(count);
            state.elements.add(element);
            timers.registerEventTime(endOfTime);
            emit({ key, sum, count });
          },
          onTimer: (_timer, { key, state, emitTo }) => emitTo(held, { by: 'count', key, elements: state.elements.get() }),
        })
        .uid('count');
      counts.sinkTo(collectSink('results')).uid('results');
      sums.getSideOutput(held).union(counts.getSideOutput(held)).sinkTo(collectSink('held')).uid('held');
    },
  });
  return compileJob(job, { parallelism: 2 });
}

async function resultsByKey(mode: Mode, failure: Failure): Promise<readonly (readonly Result[])[]> {
  // The barrier of the slow input comes late: meanwhile the other one brings what is not yet to be counted.
  const inputs = [gatedInput('left', [itemsOf('left')], 20, 1), gatedInput('right', [itemsOf('right')], 97, 8)] as const;
  const run = await world.start(sums(...inputs));
  await run.twoCheckpoints(inputs, 0.5);
  await run.sufferAndFinish(failure, fault, inputs);
  world.expectOvertaken(mode);
  const results = world.collect.published('results') as readonly Result[];
  return Array.from({ length: keys }, (_, key) => results.filter((result) => result.key === key));
}

/** By operator and key, sorted. */
const heldElements = (): ReadonlyMap<string, readonly number[]> =>
  new Map(
    (world.collect.published('held') as readonly Held[]).map(({ by, key, elements }) => [
      `${by} ${key}`,
      elements.toSorted((a, b) => a - b),
    ]),
  );

const elementsOf = (key: number): readonly number[] =>
  [...itemsOf('left'), ...itemsOf('right')].filter((item) => item.key === key).map(elementOf);

const rightElements = new Map(
  (['sum', 'count'] as const).flatMap((by) => Array.from({ length: keys }, (_, key) => [`${by} ${key}`, elementsOf(key)])),
);

async function expectExact(mode: Mode, failure: Failure): Promise<void> {
  const byKey = await resultsByKey(mode, failure);
  for (const [key, results] of byKey.entries()) {
    const expected = Array.from({ length: perKey }, (_, i) => ({ key, sum: key * (i + 1), count: i + 1 }));
    expect(results.toSorted((a, b) => a.count - b.count)).toEqual(expected);
  }
  expect(heldElements()).toEqual(rightElements);
}

// Nothing goes back, so nothing is read twice: the weaker mode shows in a restore only.
scenario(1, 'every sum and count is exact, and every result visible once, though a batch fails', (mode) => expectExact(mode, 'batch'));

scenarioIn(exactlyOnce, 1, 'every sum and count is exact, and every result visible once, though the job is restored', (mode) =>
  expectExact(mode, 'restore'),
);

scenarioIn(['at-least-once'], 1, 'a restore loses no element, and may count what was between two barriers again', async (mode) => {
  const byKey = await resultsByKey(mode, 'restore');
  // By element: a duplicate cannot stand for one that is lost.
  const found = heldElements();
  expect(new Map([...found].map(([name, elements]) => [name, [...new Set(elements)]]))).toEqual(rightElements);
  for (const [key, results] of byKey.entries()) {
    const [summed, counted] = [found.get(`sum ${key}`)!, found.get(`count ${key}`)!];
    expect(Math.max(...results.map(({ sum }) => sum))).toBe(key * summed.length);
    expect(Math.max(...results.map(({ count }) => count))).toBe(counted.length);
  }
});
