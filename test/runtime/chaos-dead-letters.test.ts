/** Records and timers that user code fails at, in every place where they can be set aside, under the faults of chaos-world.ts. */
import { expect, test } from 'vitest';
import {
  boundedOutOfOrderness,
  collectSink,
  compileJob,
  defineJob,
  fromCollection,
  valueState,
  type CompiledJob,
  type Job,
} from '../../lib/index.ts';
import { limits } from '../../lib/base/limits.ts';
import type { DeadLetter } from '../../lib/model/dead-letter.ts';
import { withLinger } from './chaos-linger.ts';
import { ChaosWorld } from './chaos-world.ts';
import { setLimits, smallLimits } from './small-limits.ts';

const realLimits = { ...limits };

type Poison = 'source' | 'map' | 'key' | 'first' | 'second' | 'late';

interface Item {
  readonly id: number;
  readonly key: string;
  readonly at: number;
  readonly poison?: Poison;
}

const kinds: readonly Poison[] = ['source', 'map', 'key', 'first', 'late'];
/** Single ones, runs of them, and an envelope full. */
function poisonOf(i: number, kindsOf: readonly Poison[]): { readonly poison?: Poison } {
  const isPoison = i % 9 === 4 || (i >= 60 && i < 75) || i === 149;
  return isPoison ? { poison: kindsOf[i % kindsOf.length]! } : {};
}
const items = (count: number, from: number, kindsOf: readonly Poison[]): Item[] =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, key: `k${(i * 5) % 7}`, at: 1_000 + i * 8, ...poisonOf(i, kindsOf) }));
const left = items(150, 0, kinds);
const right = items(60, 1_000, ['second']);

function throwIf(item: Item, poison: Poison): void {
  if (item.poison === poison) throw new Error(`${poison} ${item.id}`);
}

const poisoned = (sourceShards: number): Job =>
  defineJob({
    name: 'poisoned',
    build(env) {
      const atOf = (item: Item): number => {
        throwIf(item, 'source');
        return item.at;
      };
      const watermarks = boundedOutOfOrderness(50, atOf);
      const ones = env
        .fromSource(fromCollection(left, { splits: 3 }), { watermarks })
        .uid('left')
        .setParallelism(sourceShards)
        .onError('dead-letter')
        .map((item) => {
          throwIf(item, 'map');
          return item;
        })
        .uid('map')
        .onError('dead-letter');
      const others = env.fromSource(fromCollection(right), { watermarks }).uid('right');
      const keyOf = (item: Item): string => {
        throwIf(item, 'key');
        return item.key;
      };
      ones
        .keyBy(keyOf)
        .connect(others.keyBy(keyOf))
        .process({
          state: { sum: valueState<number>(), timers: valueState<number>() },
          process1(item, { state, timers, emit }) {
            state.sum.update((state.sum.value() ?? 0) + item.id);
            emit({ one: item.id });
            // Half of the state and of the output is there when it fails.
            throwIf(item, 'first');
            timers.registerEventTime(item.at + (item.poison === 'late' ? 301 : 300));
          },
          process2(item, { state, emit, timers }) {
            state.sum.update((state.sum.value() ?? 0) + item.id);
            emit({ other: item.id });
            timers.registerProcessingTime(1);
            throwIf(item, 'second');
          },
          onTimer({ domain, timestamp }, { key, state, emit }) {
            if (domain === 'processing') return;
            state.timers.update((state.timers.value() ?? 0) + 1);
            emit({ key, at: timestamp, fired: state.timers.value(), sum: 0 });
            if (timestamp % 8 === 5) throw new Error(`timer ${timestamp}`);
          },
        })
        .uid('book')
        .onError('dead-letter')
        .sinkTo(collectSink('out'))
        .uid('out');
    },
  });

function compiledWith(seed: number): (parallelism: number) => CompiledJob {
  return (parallelism) => ({
    ...withLinger(compileJob(poisoned(seed % 3 === 0 ? parallelism : 1), { parallelism }), seed, 80),
    planHash: `p${parallelism}`,
  });
}

const goodOne = ({ poison }: Item): boolean => poison === undefined || poison === 'late';
const sorted = (values: readonly unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort();

interface Out {
  readonly one?: number;
  readonly other?: number;
  readonly key?: string;
  readonly fired?: number;
}

function letterName({ operator, place, message, record }: DeadLetter): string {
  const what = place.kind === 'timer' ? `${place.key} ${place.timestamp}` : String((record as Item).id);
  return `${operator}: ${message} (${what})`;
}

function expectedLetters(): string[] {
  const of = (poison: Poison, operator: string, some: readonly Item[]): string[] =>
    some.filter((item) => item.poison === poison).map(({ id }) => `${operator}: ${poison} ${id} (${id})`);
  const timers = left.filter(({ poison }) => poison === 'late').map(({ key, at }) => `book: timer ${at + 301} ("${key}" ${at + 301})`);
  return [
    ...of('source', 'left', left),
    ...of('map', 'map', left),
    ...of('key', 'book', left),
    ...of('first', 'book', left),
    ...of('second', 'book', right),
    ...timers,
  ].sort();
}

function expectedTimers(key: string): number {
  return left.filter((item) => item.key === key && item.poison === undefined).length;
}

const seeds = Number(process.env['CHAOS_SEEDS'] ?? 16);
const first = Number(process.env['CHAOS_FIRST'] ?? 1);

test.each(Array.from({ length: seeds }, (_, i) => first + i))(
  'what is good is exact, and every dead letter is there once (seed %i)',
  async (seed) => {
    setLimits(seed % 2 === 0 ? smallLimits : realLimits);
    const { problems, published } = await new ChaosWorld({ seed, compile: compiledWith(seed), manyZombies: seed % 4 === 1 }).run();
    expect(problems).toEqual([]);
    const out = published('out') as readonly Out[];
    const ids = (name: 'one' | 'other'): number[] => out.flatMap((some) => some[name] ?? []).sort((a, b) => a - b);
    expect(ids('one')).toEqual(left.filter(goodOne).map(({ id }) => id));
    expect(ids('other')).toEqual(right.filter(goodOne).map(({ id }) => id));
    for (const key of new Set(left.map((item) => item.key))) {
      // State counts the firings: one that failed has left nothing in it.
      const fired = out.filter((some) => some.key === key).flatMap((some) => some.fired ?? []);
      expect(sorted(fired), `timers of ${key}`).toEqual(sorted(Array.from({ length: expectedTimers(key) }, (_, i) => i + 1)));
    }
    expect((published('') as readonly DeadLetter[]).map(letterName).sort()).toEqual(expectedLetters());
  },
);
