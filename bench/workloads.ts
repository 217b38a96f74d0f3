/** The jobs of the bench, and the plain loops that do the same work: parse each line, keep a Map. */
import {
  accumulatorSink,
  boundedOutOfOrderness,
  compileJob,
  days,
  defineJob,
  memoryText,
  tumblingEventTime,
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
  readonly vertex: string;
  readonly bare: (chunks: Iterable<string>) => number;
}

const totals = accumulatorSink<Running, number>({ initial: 0, add: (total, { count }) => total + count });

function running(name: string, keyOf: (flight: FlightRecord, position: number) => string | number): Workload {
  const job = defineJob({
    name,
    parameters: {},
    build(env) {
      let position = 0;
      env
        .fromSource(memoryText<FlightRecord>('flights'))
        .uid('flights')
        .keyBy((flight) => keyOf(flight, position++))
        .process({
          state: { running: valueState<Running>() },
          process({ delay }, { state, emit }) {
            const before = state.running.value();
            const after = before === undefined ? { count: 1, sum: delay } : { count: before.count + 1, sum: before.sum + delay };
            state.running.update(after);
            emit(after);
          },
        })
        .uid('running')
        .sinkTo(totals)
        .uid('totals');
    },
  });
  return {
    name,
    compiled: () => compileJob(job),
    vertex: 'running',
    bare(chunks) {
      const states = new Map<string | number, { count: number; sum: number }>();
      let total = 0;
      let position = 0;
      for (const chunk of chunks) {
        for (let at = 0; ; ) {
          const end = chunk.indexOf('\n', at);
          if (end < 0) break;
          const flight = JSON.parse(chunk.slice(at, end)) as FlightRecord;
          at = end + 1;
          const key = keyOf(flight, position++);
          let state = states.get(key);
          if (state === undefined) states.set(key, (state = { count: 0, sum: 0 }));
          state.count++;
          state.sum += flight.delay;
          total += state.count;
        }
      }
      return total;
    },
  };
}

export const w1 = running('W1', ({ origin }) => origin);
void boundedOutOfOrderness;
void days;
void tumblingEventTime;
