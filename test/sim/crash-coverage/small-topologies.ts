/** Jobs for crash coverage: as few records as every part of the protocol can be met with. What they must show is computed without the engine. */
import {
  boundedOutOfOrderness,
  collectSink,
  type DataStream,
  defineJob,
  fromCollection,
  mapState,
  tumblingEventTime,
  type,
  valueState,
} from '../../../lib/index.ts';
import type { Topology } from '../topologies.ts';

interface Reading {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

type Environment = Parameters<Parameters<typeof defineJob>[0]['build']>[0];

const windowMs = 40;
const few: readonly Reading[] = readings(10, 3);
const splits = 2;
/** Each key is in one split, so that its records come in order. */
const ordered: readonly Reading[] = readings(20, splits);
/** How often each key of the maps is written before all of them go. */
const roundLength = 4;

function readings(count: number, keyCount: number): Reading[] {
  return Array.from({ length: count }, (_, i) => ({ key: `k${i % keyCount}`, at: 1_000 + i * 10, value: i }));
}

const lines = (values: readonly unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort();

const topology = (
  name: string,
  values: readonly Reading[],
  build: (stream: DataStream<Reading>) => DataStream<unknown>,
  shown: readonly unknown[],
): Topology => ({
  name,
  job: () =>
    defineJob({
      name,
      build(env: Environment) {
        const watermarks = boundedOutOfOrderness(20, ({ at }: Reading) => at);
        const stream = env.fromSource(fromCollection(values, { splits }), { watermarks }).uid('source');
        build(stream).sinkTo(collectSink('out')).uid('out-sink');
      },
    }),
  expected: { out: lines(shown) },
});

/** How many of its key came before, and itself. */
const rank = (values: readonly Reading[], i: number): number => values.slice(0, i + 1).filter(({ key }) => key === values[i]!.key).length;

/** Fails by the clock: in one of so many stretches of time everything fails, and works in the next. */
const stretchMs = 150;
const isBadTime = (nowMs: number): boolean => Math.floor(nowMs / stretchMs) % 4 === 3;

/** By key, in the order of its records. */
const counted =
  (fails: (nowMs: number) => boolean = () => false) =>
  (stream: DataStream<Reading>): DataStream<unknown> =>
    stream
      .keyBy(({ key }) => key)
      .process({
        emits: type<unknown>(),
        state: { count: valueState<number>() },
        process(_reading, { key, state, emit, currentProcessingTime }) {
          if (fails(currentProcessingTime)) throw new Error('now is a bad time');
          const count = (state.count.value() ?? 0) + 1;
          state.count.update(count);
          emit({ key, count });
        },
      })
      .uid('count');

const counts = few.map(({ key }, i) => ({ key, count: rank(few, i) }));

export const smallTopologies: readonly Topology[] = [
  topology(
    'small-chain',
    few,
    (stream) => stream.map(({ key, value }) => ({ key, twice: 2 * value })),
    few.map(({ key, value }) => ({ key, twice: 2 * value })),
  ),
  topology('small-keyed', few, counted(), counts),
  topology(
    'small-window',
    few,
    (stream) =>
      stream
        .keyBy(({ key }) => key)
        .window(tumblingEventTime(windowMs))
        .aggregate(
          { createAccumulator: () => 0, add: (_reading, count: number) => count + 1, getResult: (count) => count },
          (count, { key, window }) => ({
            key,
            start: window.start,
            count,
          }),
        )
        .uid('windows'),
    windowsOf(few),
  ),
  topology(
    'small-maps',
    ordered,
    (stream) =>
      stream
        .keyBy(({ key }) => key)
        .process({
          emits: type<unknown>(),
          state: { seen: mapState<string, number>({ load: 'by-entry' }), all: mapState<string, number>(), count: valueState<number>() },
          // Now and then all of them, which is another way to read.
          entries: { process: ({ value }) => ({ seen: value % 4 === 0 ? 'all' : [`${value}`, `${value - splits}`] }) },
          process({ value }, { key, state, emit }) {
            const count = (state.count.value() ?? 0) + 1;
            state.count.update(count);
            state.all.put(`${count % 2}`, value);
            emit({ key, count, before: state.seen.get(`${value - splits}`) ?? null });
            if (count % roundLength === 0) state.seen.clear();
            else state.seen.put(`${value}`, count);
          },
        })
        .uid('maps'),
    ordered.map(({ key }, i) => {
      const count = rank(ordered, i);
      return { key, count, before: (count - 1) % roundLength === 0 ? null : count - 1 };
    }),
  ),
  topology('small-faltering', few, counted(isBadTime), counts),
];

function windowsOf(values: readonly Reading[]): unknown[] {
  const counts = new Map<string, { readonly key: string; readonly start: number; count: number }>();
  for (const { key, at } of values) {
    const start = at - (at % windowMs);
    const window = counts.get(`${key}/${start}`) ?? { key, start, count: 0 };
    window.count++;
    counts.set(`${key}/${start}`, window);
  }
  return [...counts.values()];
}
