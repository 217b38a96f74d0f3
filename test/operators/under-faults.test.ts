/** The stateful operators in the real runtime, with crashes, lost answers, zombies and restores at other parallelism: results as if nothing had happened. */
import { expect, test } from 'vitest';
import {
  boundedOutOfOrderness,
  broadcastState,
  collectSink,
  compileJob,
  type CompiledJob,
  type DataStream,
  defineJob,
  fromCollection,
  listState,
  mapState,
  operatorList,
  outputTag,
  reducingState,
  sessionEventTime,
  slidingEventTime,
  type,
} from '../../lib/index.ts';
import { withLinger } from '../runtime/chaos-linger.ts';
import { ChaosWorld } from '../runtime/chaos-world.ts';

interface Click {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

/** Three runs of clicks per key with silences between them, out of order by up to 40 ms, in two splits. */
const clicks: Click[] = Array.from({ length: 180 }, (_, i) => {
  const at = 1_000 + i * 8 + Math.floor(i / 60) * 700 - ((i * 7) % 5) * 8;
  return { key: `k${(i * 5) % 7}`, at, value: i };
});
const prices = Array.from({ length: 7 }, (_, i) => ({ key: `k${i}`, price: i * 10 }));

const odd = outputTag<Click>('odd');
const sum = {
  createAccumulator: () => 0,
  add: ({ value }: Click, total: number) => total + value,
  getResult: (total: number) => total,
  merge: (left: number, right: number) => left + right,
};

const job = defineJob({
  name: 'under-faults',
  build(env) {
    const watermarks = boundedOutOfOrderness(100, (click: Click) => click.at);
    const all = env.fromSource(fromCollection(clicks, { splits: 2 }), { watermarks }).uid('clicks');
    const byKey = all.keyBy(({ key }) => key);
    const named = (total: number, { key, window }: { key: string; window: { start: number; end: number } }) => ({ key, ...window, total });
    collect(byKey.window(sessionEventTime(150)).aggregate(sum, named).uid('sessions'), 'sessions');
    collect(
      byKey
        .window(slidingEventTime(200, 80, 10))
        .aggregate(sum, named)
        .uid('sliding'),
      'sliding',
    );
    const priced = env.fromSource(fromCollection(prices), { watermarks: boundedOutOfOrderness(0, () => 0) }).uid('prices');
    collect(
      byKey
        .connect(priced.keyBy(({ key }) => key))
        .process({
          emits: type<unknown>(),
          state: { prices: mapState<string, number>(), values: listState<number>() },
          process1({ value }, { state, timers }) {
            state.values.add(value);
            timers.registerEventTime(10_000);
          },
          process2({ key, price }, { state }) {
            state.prices.put(key, price);
          },
          onTimer(_timer, { key, state, emit }) {
            emit({ key, values: state.values.get().toSorted((a, b) => a - b), prices: state.prices.entries() });
          },
        })
        .uid('joined'),
      'joined',
    );
    collect(
      byKey
        .connect(priced.broadcast(broadcastState<string, number>('prices')))
        .process({
          emits: type<unknown>(),
          state: { count: reducingState<number>((left, right) => left + right) },
          processElement(_click, { state, timers }) {
            state.count.add(1);
            timers.registerEventTime(10_000);
          },
          processBroadcast: ({ key, price }, { broadcast }) => broadcast.put(key, price),
          onTimer(_timer, { key, state, broadcast, emit }) {
            emit({ key, count: state.count.get(), prices: broadcast.entries().toSorted(([left], [right]) => (left < right ? -1 : 1)) });
          },
        })
        .uid('judged'),
      'judged',
    );
    const parts = all
      .rebalance()
      .process({
        emits: type<Click>(),
        operatorState: { even: operatorList<Click>() },
        process(click, { operatorState, emitTo }) {
          if (click.value % 2 === 1) emitTo(odd, click);
          else operatorState.even.add(click);
        },
        finish({ operatorState, emit }) {
          operatorState.even.items().forEach((click) => emit(click));
          operatorState.even.clear();
        },
      })
      .uid('parts');
    collect(parts, 'even');
    collect(parts.getSideOutput(odd), 'odd');
  },
});

function collect(stream: DataStream<unknown>, name: string): void {
  stream.sinkTo(collectSink(name)).uid(`${name}-sink`);
}

/** Small envelopes: many messages, many chances for trouble. */
const compile =
  (seed: number) =>
  (parallelism: number): CompiledJob => ({
    ...withLinger(compileJob(job, { parallelism }), seed, 80),
    planHash: `p${parallelism}`,
  });

const keys = prices.map(({ key }) => key);
const ofKey = (key: string): Click[] => clicks.filter((click) => click.key === key).sort((a, b) => a.at - b.at);
const total = (some: readonly Click[]): number => some.reduce((all, { value }) => all + value, 0);

function expectedSessions(): unknown[] {
  return keys.flatMap((key) => {
    const runs: Click[][] = [];
    for (const click of ofKey(key)) {
      const run = runs.at(-1);
      if (run === undefined || click.at - run.at(-1)!.at > 150) runs.push([click]);
      else run.push(click);
    }
    return runs.map((run) => ({ key, start: run[0]!.at, end: run.at(-1)!.at + 150, total: total(run) }));
  });
}

function expectedSliding(): unknown[] {
  return keys.flatMap((key) => {
    const starts = Array.from({ length: 200 }, (_, i) => 10 + (i - 10) * 80);
    return starts.flatMap((start) => {
      const inside = ofKey(key).filter(({ at }) => at >= start && at < start + 200);
      return inside.length === 0 ? [] : [{ key, start, end: start + 200, total: total(inside) }];
    });
  });
}

function expectedJoined(): unknown[] {
  return prices.map(({ key, price }) => ({
    key,
    values: ofKey(key)
      .map(({ value }) => value)
      .sort((a, b) => a - b),
    prices: [[key, price]],
  }));
}

function expectedJudged(): unknown[] {
  return keys.map((key) => ({ key, count: ofKey(key).length, prices: prices.map((each) => [each.key, each.price]) }));
}

const lines = (values: readonly unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort();

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'windows, joins, broadcasts, side outputs and operator state are exact under faults (seed %i)',
  async (seed) => {
    const { published, problems } = await new ChaosWorld({ seed, compile: compile(seed) }).run();
    expect(problems).toEqual([]);
    expect(lines(published('sessions'))).toEqual(lines(expectedSessions()));
    expect(lines(published('sliding'))).toEqual(lines(expectedSliding()));
    expect(lines(published('joined'))).toEqual(lines(expectedJoined()));
    expect(lines(published('judged'))).toEqual(lines(expectedJudged()));
    expect(lines(published('even'))).toEqual(lines(clicks.filter(({ value }) => value % 2 === 0)));
    expect(lines(published('odd'))).toEqual(lines(clicks.filter(({ value }) => value % 2 === 1)));
  },
);
