/** More shapes of jobs under the faults of chaos-world.ts: every kind of state, both kinds of timers, two inputs, broadcast, side outputs, a backlog. */
import { describe, expect, test } from 'vitest';
import {
  accumulatorSink,
  aggregatingState,
  boundedOutOfOrderness,
  broadcastState,
  collectSink,
  compileJob,
  type CompiledJob,
  type DataStream,
  defineJob,
  fromCollection,
  type Job,
  listState,
  mapState,
  operatorUnionList,
  outputTag,
  reducingState,
  sessionEventTime,
  type,
  valueState,
} from '../../lib/index.ts';
import { limits } from '../../lib/base/limits.ts';
import { ChaosWorld, type ChaosOptions, type ChaosResult } from './chaos-world.ts';
import { withLinger } from './chaos-linger.ts';
import { setLimits, smallLimits } from './small-limits.ts';

interface Order {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

const keys = Array.from({ length: 7 }, (_, i) => `k${i}`);
const orders: Order[] = Array.from({ length: 150 }, (_, i) => ({
  key: keys[(i * 5) % 7]!,
  at: 1_000 + i * 8 + Math.floor(i / 50) * 600 - ((i * 7) % 5) * 8,
  value: i,
}));
const payments: Order[] = Array.from({ length: 60 }, (_, i) => ({ key: keys[(i * 3) % 7]!, at: 1_000 + i * 20, value: 1_000 + i }));
const rules = keys.map((key, i) => ({ key, factor: i + 1 }));
/** Behind everything: what is registered for it fires when the input ends. */
const atTheEnd = 1_000_000;
const round = outputTag<Order>('round');

const topologies = (sourceShards: number): Job =>
  defineJob({
    name: 'topologies',
    build(env) {
      const watermarks = boundedOutOfOrderness(100, ({ at }: Order) => at);
      const all = env
        .fromSource(fromCollection(orders, { splits: 3 }), { watermarks })
        .uid('orders')
        .setParallelism(sourceShards);
      const paid = env.fromSource(fromCollection(payments), { watermarks }).uid('payments');
      const told = env.fromSource(fromCollection(rules), { watermarks: boundedOutOfOrderness(0, () => 0) }).uid('rules');
      const byKey = all.keyBy(({ key }) => key);

      // Every kind of state and a side output, told at the end; pulses by processing time in between.
      const books = byKey
        .connect(paid.keyBy(({ key }) => key))
        .process({
          emits: type<unknown>(),
          state: {
            last: valueState<Order>(),
            values: listState<number>(),
            byDigit: mapState<number, number>(),
            sum: reducingState<number>((left, right) => left + right),
            mean: aggregatingState<number, readonly [number, number], number>({
              createAccumulator: () => [0, 0],
              add: (value, [count, sum]) => [count + 1, sum + value],
              getResult: ([count, sum]) => sum / count,
            }),
            unpulsed: valueState<number>(),
          },
          process1(order, { state, timers, currentProcessingTime, emitTo }) {
            const last = state.last.value();
            if (last === undefined || order.at > last.at) state.last.update(order);
            state.values.add(order.value);
            state.byDigit.put(order.value % 10, (state.byDigit.get(order.value % 10) ?? 0) + 1);
            state.sum.add(order.value);
            state.mean.add(order.value);
            state.unpulsed.update((state.unpulsed.value() ?? 0) + 1);
            timers.registerProcessingTime(currentProcessingTime + 15);
            timers.registerEventTime(atTheEnd);
            if (order.value % 10 === 0) emitTo(round, order);
          },
          process2({ value }, { state, timers }) {
            state.values.add(value);
            timers.registerEventTime(atTheEnd);
          },
          onTimer({ domain }, { key, state, emit }) {
            const pulse = state.unpulsed.value() ?? 0;
            state.unpulsed.clear();
            if (pulse > 0) emit({ key, pulse });
            if (domain === 'processing') return;
            const values = state.values.get().toSorted((a, b) => a - b);
            const digits = state.byDigit.entries().toSorted(([a], [b]) => a - b);
            emit({ key, values, digits, last: state.last.value()?.value, sum: state.sum.get(), mean: state.mean.get() });
            state.byDigit.clear();
            state.values.clear();
          },
        })
        .uid('books');
      collect(books, 'books');
      collect(books.getSideOutput(round), 'round');

      // Broadcast beside keys, and a total that is state of the sink.
      byKey
        .connect(told.broadcast(broadcastState<string, number>('factors')))
        .process({
          emits: type<number>(),
          state: { held: listState<number>() },
          processElement({ value }, { state, timers }) {
            state.held.add(value);
            timers.registerEventTime(atTheEnd);
          },
          processBroadcast: ({ key, factor }, { broadcast }) => broadcast.put(key, factor),
          onTimer(_timer, { key, state, broadcast, emit }) {
            for (const value of state.held.get()) emit(value * (broadcast.get(key) ?? Number.NaN));
          },
        })
        .uid('weighed')
        .process({
          emits: type<number>(),
          operatorState: { seen: operatorUnionList<number>() },
          process(value, { emit }) {
            emit(value);
          },
        })
        .uid('passed')
        .sinkTo(accumulatorSink<number, number>({ initial: 0, add: (total, value) => total + value, merge: (left, right) => left + right }))
        .uid('total');

      const sessions = byKey
        .window(sessionEventTime(200))
        .aggregate(
          {
            createAccumulator: () => 0,
            add: (_order: Order, count: number) => count + 1,
            getResult: (count) => count,
            merge: (left, right) => left + right,
          },
          (count, { key, window }) => ({ key, start: window.start, count }),
        )
        .uid('sessions');
      collect(sessions, 'sessions');
    },
  });

function collect(stream: DataStream<unknown>, name: string): void {
  stream.sinkTo(collectSink(name)).uid(`${name}-sink`);
}

/** With many channels the source has as many shards as all others, so that several channels of an edge stand at different barriers. */
function compiledWith(seed: number): (parallelism: number) => CompiledJob {
  const manyChannels = seed % 3 === 0;
  return (parallelism) => {
    const compiled = compileJob(topologies(manyChannels ? parallelism : 1), { parallelism });
    return { ...withLinger(compiled, seed, 80), planHash: `p${parallelism}` };
  };
}

const lines = (values: readonly unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort();
const of = (some: readonly Order[], key: string): number[] => some.filter((order) => order.key === key).map(({ value }) => value);
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

function expectedBooks(): unknown[] {
  return keys.map((key) => {
    const own = of(orders, key);
    const digits = [...new Set(own.map((value) => value % 10))].sort((a, b) => a - b);
    const newest = orders.filter((order) => order.key === key).reduce((a, b) => (b.at > a.at ? b : a));
    return {
      key,
      values: [...own, ...of(payments, key)].sort((a, b) => a - b),
      digits: digits.map((digit) => [digit, own.filter((value) => value % 10 === digit).length]),
      last: newest.value,
      sum: total(own),
      mean: total(own) / own.length,
    };
  });
}

function expectedSessions(): unknown[] {
  return keys.flatMap((key) => {
    const runs: Order[][] = [];
    for (const order of orders.filter((some) => some.key === key).sort((a, b) => a.at - b.at)) {
      if (runs.length === 0 || order.at - runs.at(-1)!.at(-1)!.at > 200) runs.push([order]);
      else runs.at(-1)!.push(order);
    }
    return runs.map((run) => ({ key, start: run[0]!.at, count: run.length }));
  });
}

async function runWorld(seed: number, options: Partial<ChaosOptions> = {}): Promise<ChaosResult> {
  const result = await new ChaosWorld({ seed, compile: compiledWith(seed), ...options }).run();
  expect(result.problems, `seed ${seed}`).toEqual([]);
  return result;
}

interface Pulse {
  readonly key: string;
  readonly pulse?: number;
}

function expectExactlyOnce({ published }: ChaosResult, seed: number): void {
  const told = published('books') as Pulse[];
  expect(lines(told.filter(({ pulse }) => pulse === undefined)), `books of seed ${seed}`).toEqual(lines(expectedBooks()));
  for (const key of keys) {
    const pulses = told.flatMap((one) => (one.key === key && one.pulse !== undefined ? [one.pulse] : []));
    expect(total(pulses), `pulses of ${key}, seed ${seed}`).toBe(of(orders, key).length);
  }
  expect(lines(published('round')), `side output of seed ${seed}`).toEqual(lines(orders.filter(({ value }) => value % 10 === 0)));
  expect(lines(published('sessions')), `sessions of seed ${seed}`).toEqual(lines(expectedSessions()));
}

const count = Number(process.env['CHAOS_SEEDS'] ?? 8);
const first = Number(process.env['CHAOS_FIRST'] ?? 1);
const seeds = Array.from({ length: count }, (_, i) => first + i);

describe('under faults, restores at other parallelism and aborts', () => {
  test.each(seeds)('every kind of state, timer and input is exact (seed %i)', async (seed) => {
    if (seed % 2 === 0) setLimits(smallLimits);
    expectExactlyOnce(await runWorld(seed), seed);
  });

  test.each(seeds.slice(0, Math.max(2, count >> 2)))(
    'a large backlog is exact too: nobody throttles, and stashes grow (seed %i)',
    async (seed) => {
      setLimits({ ...smallLimits, sourceRecordsPerCommit: limits.sourceRecordsPerCommit });
      const settings = { backlogMessagesPerShard: 100_000, sourceRecordsPerCommit: 40, stateCacheKeys: 1 };
      expectExactlyOnce(await runWorld(seed, { settings }), seed);
    },
  );
});

describe('with barriers that overtake what is in flight', () => {
  test.each(seeds)('every kind of state, timer and input is exact, beside edges that stay aligned (seed %i)', async (seed) => {
    if (seed % 2 === 0) setLimits(smallLimits);
    expectExactlyOnce(await runWorld(seed, { unaligned: true, manyZombies: seed % 3 === 1 }), seed);
  });

  test.each(seeds.slice(0, Math.max(2, count >> 2)))('so is a large backlog, most of which is in flight (seed %i)', async (seed) => {
    setLimits({ ...smallLimits, sourceRecordsPerCommit: limits.sourceRecordsPerCommit });
    const settings = { backlogMessagesPerShard: 100_000, sourceRecordsPerCommit: 40, stateCacheKeys: 1 };
    const result = await runWorld(seed, { settings, unaligned: true });
    expectExactlyOnce(result, seed);
  });
});

describe('at least once', () => {
  test.each(seeds)('loses nothing, and doubles only what a restore repeats (seed %i)', async (seed) => {
    const { published, restores } = await runWorld(seed, { mode: 'at-least-once' });
    const told = (published('books') as { key: string; values?: number[] }[]).filter(({ values }) => values !== undefined);
    for (const key of keys) {
      const own = told.filter((one) => one.key === key);
      expect(own.length, `${key} of seed ${seed}`).toBeGreaterThan(0);
      const seen = own.at(-1)!.values!;
      const expected = [...of(orders, key), ...of(payments, key)].sort((a, b) => a - b);
      expect([...new Set(seen)], `${key} of seed ${seed}`).toEqual(expected);
      if (restores === 0) expect(seen).toEqual(expected);
    }
    const lost = orders.filter(
      ({ value }) => value % 10 === 0 && !lines(published('round')).some((line) => line.includes(`"value":${value}}`)),
    );
    expect(lost, `seed ${seed}`).toEqual([]);
  });
});

describe('a mode that changes from checkpoint to checkpoint', () => {
  test.each(seeds)('leaves every exactly-once one a cut, and doubles only after a restore of another (seed %i)', async (seed) => {
    const run = await runWorld(seed, { mode: 'mixed' });
    if (run.laxRestores === 0) expectExactlyOnce(run, seed);
    else expect(run.problems, `seed ${seed}`).toEqual([]);
  });
});

test.each(seeds)('so it does where those that are exactly-once overtake what is in flight (seed %i)', async (seed) => {
  const run = await runWorld(seed, { mode: 'mixed', unaligned: true });
  if (run.laxRestores === 0) expectExactlyOnce(run, seed);
});
