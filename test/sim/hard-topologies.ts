/**
 * Jobs that are hard on one rule each: order within a key, state that is removed, records that come too late, timers of the clock, output that lingers.
 * For the mutants; what they must show is computed without the engine.
 */
import {
  boundedOutOfOrderness,
  collectSink,
  type DataStream,
  defineJob,
  fromCollection,
  listState,
  mapState,
  tumblingEventTime,
  type,
  valueState,
} from '../../lib/index.ts';
import type { SimulatedCircumstances } from '../../lib/testing/sim/simulate-options.ts';
import { endProcess } from '../../lib/testing/sim/process-end.ts';
import type { Topology } from './topologies.ts';

interface Event {
  readonly key: string;
  readonly at: number;
  readonly value: number;
  /** Where order counts: events of one line are read one after the other. */
  readonly line: string;
}

type Environment = Parameters<Parameters<typeof defineJob>[0]['build']>[0];

const keyCount = 8;
const splits = 2;
const atTheEnd = 1_000_000;
const windowMs = 100;

const events = (name: string, count: number): readonly Event[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${(i * 5) % keyCount}`, at: 1_000 + i * 12, value: i, line: `${name}${i % splits}` }));

const left = events('l', 64);
const right = events('r', 32);
/** Now and then one of long ago once more. */
const withLate = left.flatMap((event, i) => (i >= 32 && i % 4 === 0 ? [event, left[i - 32]!, left[i - 31]!] : [event]));

function read(env: Environment, uid: string, values: readonly Event[]): DataStream<Event> {
  const watermarks = boundedOutOfOrderness(50, ({ at }: Event) => at);
  return env.fromSource(fromCollection(values, { splits }), { watermarks }).uid(uid);
}

/** Opened, closed by what comes three records later, and opened again when it has long been forgotten. */
const closing = Array.from({ length: 48 }, (_, i) => [i, i - 3, i - 24].filter((n) => n >= 0).map((n) => `c${n}`))
  .flat()
  .map((key, i): Event => ({ key, at: 1_000 + i * 12, value: i, line: 'c' }));

const isBad = ({ value }: Event): boolean => value % 5 === 2;

const lines = (values: readonly unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort();

/** Each record with the one before it, of its key and line. */
function chained(stream: DataStream<Event>, isPicky = false): DataStream<unknown> {
  const results = stream
    .keyBy(({ key }) => key)
    .process({
      emits: type<unknown>(),
      state: { last: mapState<string, number>() },
      process(event, { key, state, emit }) {
        const { value, line } = event;
        if (isPicky && isBad(event)) throw new Error('a bad event');
        const before = state.last.get(line) ?? -1;
        if (before >= value) throw new Error(`${line} of ${key} brings ${value} behind ${before}`);
        emit({ key, line, value, before });
        state.last.put(line, value);
      },
    });
  return (isPicky ? results.onError('dead-letter') : results).uid('chained');
}

function chains(some: readonly Event[]): unknown[] {
  return some.map(({ key, line, value }, i) => {
    const before = some.slice(0, i).findLast((other) => other.key === key && other.line === line)?.value ?? -1;
    return { key, line, value, before };
  });
}

const topology = (name: string, build: (env: Environment) => DataStream<unknown>, shown: readonly unknown[]): Topology => ({
  name,
  job: () =>
    defineJob({
      name,
      build(env) {
        // Another exchange behind it: what a keyed shard sends can be lost, too.
        const results = build(env)
          .rebalance()
          .map((result) => result);
        results.sinkTo(collectSink('out')).uid('out-sink');
      },
    }),
  expected: { out: lines(shown) },
  // What comes twice they refuse, or show as wrong.
  modes: ['aligned', 'unaligned'],
});

/** Those of the last values end the process that works on them. */
const isHeavy = ({ value }: Event): boolean => value === 13 || value === 47;

function weighed(stream: DataStream<Event>): DataStream<unknown> {
  return stream
    .keyBy(({ key }) => key)
    .process({
      emits: type<unknown>(),
      state: { count: valueState<number>() },
      process(event, { key, state, emit }) {
        if (isHeavy(event)) endProcess();
        const count = (state.count.value() ?? 0) + 1;
        state.count.update(count);
        emit({ key, count });
        emit({ key, value: event.value });
      },
    })
    .onError('dead-letter')
    .uid('weighed');
}

const weights = (some: readonly Event[]): unknown[] =>
  some.flatMap(({ key, value }, i) => [
    { key, count: some.slice(0, i + 1).filter((other) => other.key === key).length },
    { key, value },
  ]);

function toggle(stream: DataStream<Event>): DataStream<unknown> {
  return stream
    .keyBy(({ key }) => key)
    .process({
      emits: type<unknown>(),
      state: { open: valueState<number>() },
      process(_event, { key, state, emit }) {
        const isOpen = state.open.value() !== undefined;
        emit({ key, is: isOpen ? 'closed' : 'opened' });
        if (isOpen) state.open.clear();
        else state.open.update(1);
      },
    })
    .uid('toggle');
}

const toggled = (some: readonly Event[]): unknown[] =>
  some.map(({ key }, i) => {
    const earlier = some.slice(0, i).filter((other) => other.key === key).length;
    return { key, is: earlier % 2 === 0 ? 'opened' : 'closed' };
  });

/** Whatever else happens, at whatever time: of checkpoints the settings are fixed, because a shard stands still for longer than most would wait. */
const ending = (name: string, checkpoint: NonNullable<SimulatedCircumstances['checkpoint']>): Topology => ({
  name,
  job: () =>
    defineJob({
      name,
      build(env) {
        weighed(read(env, 'left', left))
          .sinkTo(collectSink('out'))
          .uid('out-sink');
      },
    }),
  expected: {
    out: lines(weights(left.filter((event) => !isHeavy(event)))),
    'weighed.dead-letters': lines(left.filter(isHeavy).map((record) => ({ operator: 'weighed', key: null, record }))),
  },
  world: {
    // Any other process may die too: that one record meets so many deaths by chance does not happen.
    settings: { triesBeforeCare: 2, triesAlone: 8 },
    // Its shard stands still meanwhile.
    patienceMs: 120_000,
    checkpoint: { tolerableFailures: 1_000, timeoutMs: 5_000, ...checkpoint },
  },
});

export const hardTopologies: readonly Topology[] = [
  topology('ordered', (env) => chained(read(env, 'left', left).union(read(env, 'right', right))), chains([...left, ...right])),
  topology(
    'lingering',
    (env) => {
      env.setBufferTimeout(40);
      return chained(read(env, 'left', left).union(read(env, 'right', right)));
    },
    chains([...left, ...right]),
  ),
  topology('forgetting', (env) => toggle(read(env, 'left', left)), toggled(left)),
  topology('closing', (env) => toggle(read(env, 'left', closing)), toggled(closing)),
  {
    name: 'set-aside',
    job: () =>
      defineJob({
        name: 'set-aside',
        build(env) {
          chained(read(env, 'left', left).union(read(env, 'right', right)), true)
            .sinkTo(collectSink('out'))
            .uid('out-sink');
        },
      }),
    expected: {
      out: lines(chains([...left, ...right].filter((event) => !isBad(event)))),
      'chained.dead-letters': lines(
        [...left, ...right].filter(isBad).map((record) => ({ operator: 'chained', key: JSON.stringify(record.key), record })),
      ),
    },
  },
  ending('ending', {}),
  // The records that end processes may be in flight when the job goes back. Seldom: while a shard works with care its base stands still.
  ending('ending-overtaken', { unaligned: true, alignedTimeoutMs: 0, intervalMs: 2_000 }),
  topology(
    'late',
    (env) =>
      read(env, 'left', withLate)
        .keyBy(({ key }) => key)
        .window(tumblingEventTime(windowMs))
        .aggregate(
          { createAccumulator: () => 0, add: (_event, count: number) => count + 1, getResult: (count) => count },
          (_count, { key, window }) => ({
            key,
            start: window.start,
          }),
        )
        .uid('windows'),
    [...new Set(left.map(({ key, at }) => JSON.stringify({ key, start: at - (at % windowMs) })))].map(
      (line) => JSON.parse(line) as unknown,
    ),
  ),
  topology(
    'delayed',
    (env) =>
      read(env, 'left', left)
        .keyBy(({ key }) => key)
        .process({
          emits: type<unknown>(),
          state: { held: listState<number>() },
          process({ value }, { state, timers, currentProcessingTime }) {
            state.held.add(value);
            timers.registerProcessingTime(currentProcessingTime + (value % 6 === 0 ? 4_000 : 40 + (value % 5) * 60));
            timers.registerEventTime(atTheEnd);
          },
          onTimer(_timer, { state, emit }) {
            for (const value of state.held.get()) emit(value);
            state.held.clear();
          },
        })
        .uid('delayed')
        // What timers emit goes to other shards: sent by whoever fired them, or never.
        .keyBy((value) => (value as number) % 3)
        .process({ emits: type<unknown>(), process: (value, { emit }) => emit(value) })
        .uid('passed-on'),
    left.map(({ value }) => value),
  ),
];
