/**
 * The shapes of jobs that the simulator goes through, each with what it must show, computed without the engine. Small on purpose: what is rare comes from
 * many runs, not from many records.
 */
import {
  boundedOutOfOrderness,
  broadcastState,
  collectSink,
  type DataStream,
  defineJob,
  fromCollection,
  type Job,
  listState,
  outputTag,
  tumblingEventTime,
  type,
  valueState,
} from '../../lib/index.ts';
import type { SimulateOptions, SimulatedCircumstances } from '../../lib/testing/sim/simulate-options.ts';

export interface Topology {
  readonly name: string;
  readonly job: () => Job;
  /** Lines by sink, sorted. */
  readonly expected: Readonly<Record<string, readonly string[]>>;
  /** At least once: whether a line that is shown stands for one that is right. Default: where they are equal. */
  readonly covers?: (shown: never, expected: never) => boolean;
  readonly parallelism?: readonly number[];
  /** What it needs around it, such as what is sent to its push sources. */
  readonly world?: SimulatedCircumstances;
  /** Default: all three, at least once in a fifth of the runs. */
  readonly modes?: NonNullable<SimulateOptions['modes']>;
}

interface Joined {
  readonly key: string;
  readonly lefts: readonly number[];
  readonly rights: readonly number[];
}

interface Window {
  readonly key: string;
  readonly start: number;
  readonly count: number;
  readonly sum: number;
}

interface Reading {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

type Environment = Parameters<Parameters<typeof defineJob>[0]['build']>[0];

const keyCount = 5;
const keyOf = (n: number): string => `k${n % keyCount}`;
const left: readonly Reading[] = readings(48, 0, 7);
const right: readonly Reading[] = readings(24, 1_000, 3);
const all = [...left, ...right];
/** Behind everything: what is registered for it fires when the input ends. */
const atTheEnd = 1_000_000;
const windowMs = 200;
const odd = outputTag<number>('odd');
const isBad = ({ value }: Reading): boolean => value % 7 === 3;

function readings(count: number, first: number, step: number): Reading[] {
  return Array.from({ length: count }, (_, i) => ({ key: keyOf(i * step), at: 1_000 + i * 12 + ((i * 5) % 4) * 9, value: first + i }));
}

/** At the job's parallelism, which a restore may change, where no other is given. */
function source(env: Environment, uid: string, values: readonly Reading[], shards?: number): DataStream<Reading> {
  const watermarks = boundedOutOfOrderness(50, ({ at }: Reading) => at);
  const stream = env.fromSource(fromCollection(values, { splits: 2 }), { watermarks }).uid(uid);
  return shards === undefined ? stream : stream.setParallelism(shards);
}

function collect(stream: DataStream<unknown>, name: string): void {
  stream.sinkTo(collectSink(name)).uid(`${name}-sink`);
}

/** Counts and adds up by key, and tells each step: with a record lost or doubled, every later number is another. */
function counted(stream: DataStream<Reading>, uid: string): DataStream<unknown> {
  return stream
    .keyBy(({ key }) => key)
    .process({
      emits: type<unknown>(),
      state: { count: valueState<number>() },
      process({ value }, { key, state, emit, emitTo }) {
        const count = (state.count.value() ?? 0) + 1;
        state.count.update(count);
        emit({ key, value });
        emit({ key, count });
        if (value % 2 === 1) emitTo(odd, value);
      },
    })
    .uid(uid);
}

const counts = (some: readonly Reading[]): unknown[] =>
  some.flatMap(({ key, value }, i) => [
    { key, value },
    { key, count: some.slice(0, i + 1).filter((other) => other.key === key).length },
  ]);

const jobOf = (name: string, build: (env: Environment) => void) => (): Job => defineJob({ name, build });

function lines(values: readonly unknown[]): string[] {
  return values.map((value) => JSON.stringify(value)).sort();
}

export const topologies: readonly Topology[] = [
  {
    name: 'chain',
    job: jobOf('chain', (env) => {
      const even = source(env, 'left', left)
        .filter(({ value }) => value % 2 === 0)
        .map(({ key, value }) => ({ key, half: value / 2 }));
      collect(even, 'out');
    }),
    expected: { out: lines(left.filter(({ value }) => value % 2 === 0).map(({ key, value }) => ({ key, half: value / 2 }))) },
  },
  {
    name: 'keyed',
    job: jobOf('keyed', (env) => collect(counted(source(env, 'left', left), 'count'), 'out')),
    expected: { out: lines(counts(left)) },
  },
  {
    name: 'exchanges',
    job: jobOf('exchanges', (env) => {
      const stream = source(env, 'left', left)
        .rebalance()
        .map((reading) => reading);
      collect(
        counted(stream, 'count')
          .rebalance()
          .map((result) => result),
        'out',
      );
    }),
    expected: { out: lines(counts(left)) },
  },
  {
    name: 'union',
    job: jobOf('union', (env) => collect(counted(source(env, 'left', left).union(source(env, 'right', right, 1)), 'count'), 'out')),
    expected: { out: lines(counts(all)) },
  },
  {
    name: 'two-inputs',
    job: jobOf('two-inputs', (env) => {
      const joined = source(env, 'left', left)
        .keyBy(({ key }) => key)
        .connect(source(env, 'right', right, 1).keyBy(({ key }) => key))
        .process({
          emits: type<unknown>(),
          state: { lefts: listState<number>(), rights: listState<number>() },
          process1({ value }, { state, timers }) {
            state.lefts.add(value);
            timers.registerEventTime(atTheEnd);
          },
          process2({ value }, { state, timers }) {
            state.rights.add(value);
            timers.registerEventTime(atTheEnd);
          },
          onTimer(_timer, { key, state, emit }) {
            const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);
            emit({ key, lefts: sorted(state.lefts.get()), rights: sorted(state.rights.get()) });
          },
        })
        .uid('joined');
      collect(joined, 'out');
    }),
    expected: {
      out: lines(
        Array.from({ length: keyCount }, (_, i) => {
          const of = (some: readonly Reading[]): number[] => some.filter(({ key }) => key === keyOf(i)).map(({ value }) => value);
          return { key: keyOf(i), lefts: of(left), rights: of(right) };
        }),
      ),
    },
    covers: (shown: Joined, right: Joined) =>
      shown.key === right.key && shown.lefts.length >= right.lefts.length && shown.rights.length >= right.rights.length,
  },
  {
    name: 'broadcast',
    job: jobOf('broadcast', (env) => {
      const factors = Array.from({ length: keyCount }, (_, i) => ({ key: keyOf(i), at: 1_000, value: i + 1 }));
      const weighed = source(env, 'left', left)
        .keyBy(({ key }) => key)
        .connect(source(env, 'factors', factors, 1).broadcast(broadcastState<string, number>('factors')))
        .process({
          emits: type<unknown>(),
          state: { held: listState<number>() },
          processElement({ value }, { state, timers }) {
            state.held.add(value);
            timers.registerEventTime(atTheEnd);
          },
          processBroadcast: ({ key, value }, { broadcast }) => broadcast.put(key, value),
          onTimer(_timer, { key, state, broadcast, emit }) {
            for (const value of state.held.get()) emit(value * (broadcast.get(key) ?? Number.NaN));
          },
        })
        .uid('weighed');
      collect(weighed, 'out');
    }),
    expected: { out: lines(left.map(({ key, value }) => value * (Number(key.slice(1)) + 1))) },
  },
  {
    name: 'window',
    job: jobOf('window', (env) => {
      const windows = source(env, 'left', left)
        .keyBy(({ key }) => key)
        .window(tumblingEventTime(windowMs))
        .aggregate(
          {
            createAccumulator: () => ({ count: 0, sum: 0 }),
            add: ({ value }, a) => ({ count: a.count + 1, sum: a.sum + value }),
            getResult: (a) => a,
          },
          (result, { key, window }) => ({ key, start: window.start, ...result }),
        )
        .uid('windows');
      collect(windows, 'out');
    }),
    expected: { out: lines(windowsOf(left)) },
    covers: (shown: Window, right: Window) =>
      shown.key === right.key && shown.start === right.start && shown.count >= right.count && shown.sum >= right.sum,
  },
  {
    name: 'two-phase-sink',
    job: jobOf('two-phase-sink', (env) => {
      const readings = source(env, 'left', left);
      collect(
        readings.map(({ value }) => value),
        'all',
      );
      const results = counted(readings, 'count');
      collect(results, 'out');
      collect(results.getSideOutput(odd), 'odd');
    }),
    expected: {
      all: lines(left.map(({ value }) => value)),
      out: lines(counts(left)),
      odd: lines(left.filter(({ value }) => value % 2 === 1).map(({ value }) => value)),
    },
  },
  {
    name: 'rescale',
    job: jobOf('rescale', (env) => {
      collect(counted(source(env, 'left', left).union(source(env, 'right', right)), 'count'), 'out');
    }),
    expected: { out: lines(counts(all)) },
    parallelism: [1, 2, 3, 4, 5, 6, 7, 8],
  },
  {
    name: 'poison',
    job: jobOf('poison', (env) => {
      const checked = source(env, 'left', left)
        .keyBy(({ key }) => key)
        .process({
          emits: type<unknown>(),
          state: { seen: valueState<number>() },
          process(reading, { key, state, emit }) {
            state.seen.update((state.seen.value() ?? 0) + 1);
            emit({ key, count: state.seen.value() });
            if (isBad(reading)) throw new Error('a bad reading');
          },
        })
        .onError('dead-letter')
        .uid('checked');
      collect(checked, 'out');
    }),
    expected: {
      out: lines(counts(left.filter((reading) => !isBad(reading))).filter((line) => Object.hasOwn(line as object, 'count'))),
      'checked.dead-letters': lines(left.filter(isBad).map((record) => ({ operator: 'checked', key: JSON.stringify(record.key), record }))),
    },
  },
];

function windowsOf(some: readonly Reading[]): unknown[] {
  const windows = new Map<string, { readonly key: string; readonly start: number; count: number; sum: number }>();
  for (const { key, at, value } of some) {
    const start = at - (at % windowMs);
    const window = windows.get(`${key}/${start}`) ?? { key, start, count: 0, sum: 0 };
    window.count++;
    window.sum += value;
    windows.set(`${key}/${start}`, window);
  }
  return [...windows.values()];
}
