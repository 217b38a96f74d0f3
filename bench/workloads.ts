/** The jobs of the bench, and the plain loops that do the same work: parse each line, keep a Map. */
import {
  accumulatorSink,
  compileJob,
  days,
  defineJob,
  memoryText,
  monotonousTimestamps,
  tumblingEventTime,
  type,
  valueState,
  type CompiledJob,
} from '../lib/index.ts';

export interface FlightRecord {
  readonly date: number;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

interface Running {
  readonly count: number;
  readonly sum: number;
}

export interface Workload {
  readonly name: string;
  readonly compiled: () => CompiledJob;
  /** The vertex that holds the sink `totals`. */
  readonly vertex: string;
  /** The same result, by a loop over the lines. */
  readonly bare: (chunks: Iterable<string>) => number;
}

const dayMs = 86_400_000;
const totals = (): ReturnType<typeof accumulatorSink<Running, number>> =>
  accumulatorSink<Running, number>({ initial: 0, add: (total, { count }) => total + count, merge: (left, right) => left + right });

function running(name: string, { numbered }: { readonly numbered: number | null }): Workload {
  const job = defineJob({
    name,
    parameters: {},
    build(env) {
      const flights = env.fromSource(memoryText<FlightRecord>('flights')).uid('flights');
      let next = 0;
      // The number has to be put into the record; with it only what is needed goes on.
      const keyed =
        numbered === null
          ? flights.keyBy(({ origin }) => origin)
          : flights.map(({ delay }) => ({ number: next++ % numbered, delay })).keyBy(({ number }) => number);
      keyed
        .process({
          emits: type<Running>(),
          state: { running: valueState<Running>() },
          process({ delay }, { state, emit }) {
            const before = state.running.value();
            const after = before === undefined ? { count: 1, sum: delay } : { count: before.count + 1, sum: before.sum + delay };
            state.running.update(after);
            emit(after);
          },
        })
        .uid('running')
        .sinkTo(totals())
        .uid('totals');
    },
  });
  return { name, compiled: () => compileJob(job), vertex: 'running', bare: (chunks) => countByKey(chunks, numbered) };
}

function countByKey(chunks: Iterable<string>, numbered: number | null): number {
  const states = new Map<string | number, { count: number; sum: number }>();
  let total = 0;
  let next = 0;
  for (const chunk of chunks) {
    for (let at = 0; ;) {
      const end = chunk.indexOf('\n', at);
      if (end < 0) break;
      const { origin, delay } = JSON.parse(chunk.slice(at, end)) as FlightRecord;
      at = end + 1;
      const key = numbered === null ? origin : next++ % numbered;
      let state = states.get(key);
      if (state === undefined) states.set(key, (state = { count: 0, sum: 0 }));
      state.count++;
      state.sum += delay;
      total += state.count;
    }
  }
  return total;
}

function windowed(): Workload {
  const job = defineJob({
    name: 'W2',
    parameters: {},
    build(env) {
      env
        .fromSource(memoryText<FlightRecord>('flights'), { watermarks: monotonousTimestamps((flight) => flight.date) })
        .uid('flights')
        .keyBy(({ origin }) => origin)
        .window(tumblingEventTime(days(1)))
        .aggregate({
          createAccumulator: (): Running => ({ count: 0, sum: 0 }),
          add: ({ delay }, { count, sum }) => ({ count: count + 1, sum: sum + delay }),
          getResult: (window) => window,
        })
        .uid('daily')
        .sinkTo(totals())
        .uid('totals');
    },
  });
  return { name: 'W2', compiled: () => compileJob(job), vertex: 'daily', bare: countByWindow };
}

/** The file is in order, so a window is over when the next day begins; its sum is taken then. */
function countByWindow(chunks: Iterable<string>): number {
  let windows = new Map<string, { count: number; sum: number }>();
  let day = Number.NaN;
  let total = 0;
  const close = (): void => {
    for (const { count } of windows.values()) total += count;
    windows = new Map();
  };
  for (const chunk of chunks) {
    for (let at = 0; ;) {
      const end = chunk.indexOf('\n', at);
      if (end < 0) break;
      const { origin, delay, date } = JSON.parse(chunk.slice(at, end)) as FlightRecord;
      at = end + 1;
      const today = Math.floor(date / dayMs);
      if (today !== day) {
        close();
        day = today;
      }
      let window = windows.get(origin);
      if (window === undefined) windows.set(origin, (window = { count: 0, sum: 0 }));
      window.count++;
      window.sum += delay;
    }
  }
  close();
  return total;
}

export const w1 = running('W1', { numbered: null });
export const w2 = windowed();
export const w3 = running('W3', { numbered: 1_000_000 });
