/** What a user's editor says: checked by tsc, and run so that the graphs they describe are real. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  boundedOutOfOrderness,
  type BroadcastStream,
  broadcastState,
  compileJob,
  type DataStream,
  defineJob,
  discardingSink,
  fromCollection,
  hours,
  mapState,
  monotonousTimestamps,
  outputTag,
  type Sink,
  type StreamEnvironment,
  tumblingEventTime,
  type,
  valueState,
} from '../../lib/index.ts';

interface Flight {
  readonly date: number;
  readonly origin: string;
  readonly delay: number;
}

const source = fromCollection<Flight>([]);

function built(build: (env: StreamEnvironment) => { sinkTo(sink: Sink<unknown>): unknown }): void {
  const job = defineJob({ name: 'types', build: (env) => void build(env).sinkTo(discardingSink()) });
  expect(compileJob(job).plan.vertices.length).toBeGreaterThan(0);
}

describe('types follow from what is written', () => {
  test('a watermark strategy knows the records of its source', () => {
    built((env) => env.fromSource(source, { watermarks: boundedOutOfOrderness(1_000, (flight) => flight.date) }).uid('flights'));
    built((env) => env.fromSource(source, { watermarks: monotonousTimestamps(({ date }) => date, { idleness: 5 }) }).uid('flights'));
  });

  test('map, filter, flatMap and keyBy infer', () => {
    built((env) => {
      const flights = env.fromSource(source).uid('flights');
      const delays = flights.map((flight) => flight.delay);
      expectTypeOf(delays).toEqualTypeOf<DataStream<number>>();
      const either = flights.flatMap(({ origin, delay }) => [origin, delay]);
      expectTypeOf(either).toEqualTypeOf<DataStream<string | number>>();
      const texts = either.filter((value) => typeof value === 'string');
      expectTypeOf(texts).toEqualTypeOf<DataStream<string>>();
      return texts.union(delays.map(String));
    });
  });

  test('windows infer accumulator, result and key', () => {
    built((env) =>
      env
        .fromSource(source, { watermarks: monotonousTimestamps((flight) => flight.date) })
        .uid('flights')
        .keyBy((flight) => flight.origin)
        .window(tumblingEventTime(hours(1)))
        .aggregate(
          { createAccumulator: () => ({ sum: 0 }), add: (flight, { sum }) => ({ sum: sum + flight.delay }), getResult: ({ sum }) => sum },
          (sum, { key, window }) => {
            expectTypeOf(sum).toEqualTypeOf<number>();
            expectTypeOf(key).toEqualTypeOf<string>();
            return { key, start: window.start, sum };
          },
        )
        .uid('hourly')
        .map((hour) => {
          expectTypeOf(hour).toEqualTypeOf<{ key: string; start: number; sum: number }>();
          return hour;
        }),
    );
  });

  test('a process function has typed key, state and output, and a typed side output', () => {
    const late = outputTag<Flight>('late');
    built((env) => {
      const seen = env
        .fromSource(source)
        .uid('flights')
        .keyBy(({ origin, delay }) => [origin, delay] as const)
        .process({
          emits: type<{ n: number }>(),
          state: { last: valueState<Flight>() },
          process(flight, { key, state, emit, emitTo }) {
            expectTypeOf(key).toEqualTypeOf<readonly [string, number]>();
            expectTypeOf(state.last.value()).toEqualTypeOf<Flight | undefined>();
            emit({ n: flight.delay });
            emitTo(late, flight);
            // @ts-expect-error -- emits says { n: number }
            if (flight.delay < 0) emit('early');
            // @ts-expect-error -- the tag is one of flights
            if (flight.delay < 0) emitTo(late, 1);
            // @ts-expect-error -- no such state was declared
            if (flight.delay < 0) state.first.clear();
          },
        })
        .uid('seen');
      expectTypeOf(seen).toEqualTypeOf<DataStream<{ n: number }>>();
      expectTypeOf(seen.getSideOutput(late)).toEqualTypeOf<DataStream<Flight>>();
      return seen;
    });
  });

  test('a function asks for entries of the maps that are loaded by entry, by their keys', () => {
    built((env) => {
      const byOrigin = env
        .fromSource(source)
        .uid('flights')
        .keyBy(({ origin }) => origin);
      const state = {
        days: mapState<number, Flight>({ load: 'by-entry' }),
        whole: mapState<number, Flight>(),
        last: valueState<Flight>(),
      };
      const none = (): void => undefined;
      const wrong = (): void => {
        // @ts-expect-error -- the keys are numbers
        byOrigin.process({ state, entries: { process: ({ origin }) => ({ days: [origin] }) }, process: none });
        // @ts-expect-error -- that map is loaded whole
        byOrigin.process({ state, entries: { process: ({ date }) => ({ whole: [date] }) }, process: none });
        // @ts-expect-error -- all or some, and nothing else
        byOrigin.process({ state, entries: { process: () => ({ days: 'some' }) }, process: none });
        // @ts-expect-error -- it can be loaded in two ways
        mapState<number, Flight>({ load: 'lazily' });
      };
      expect(wrong).toBeTypeOf('function');
      return byOrigin
        .connect(
          env
            .fromSource(source)
            .uid('others')
            .keyBy(({ origin }) => origin),
        )
        .process({
          emits: type<number>(),
          state,
          entries: {
            process1(flight, key) {
              expectTypeOf(flight).toEqualTypeOf<Flight>();
              expectTypeOf(key).toEqualTypeOf<string>();
              return { days: [flight.date] };
            },
            process2: () => ({ days: 'all' }),
            onTimer: ({ timestamp }) => ({ days: [timestamp] }),
          },
          process1(flight, { state: { days }, emit }) {
            expectTypeOf(days.get(flight.date)).toEqualTypeOf<Flight | undefined>();
            emit(flight.delay);
          },
          process2: none,
          onTimer: none,
        })
        .uid('connected');
    });
  });

  test('a function that does not say what it emits makes a stream of unknown values', () => {
    built((env) => {
      const stream = env
        .fromSource(source)
        .uid('flights')
        .process({ process: (flight, { emit }) => emit(flight.delay) });
      expectTypeOf(stream).toEqualTypeOf<DataStream<unknown>>();
      return stream;
    });
  });

  test('a sink takes only what it was made for', () => {
    built((env) => {
      const flights = env.fromSource(source).uid('flights');
      const ofNumbers: Sink<number> = discardingSink<number>();
      // @ts-expect-error -- flights are no numbers
      flights.sinkTo(ofNumbers);
      return flights;
    });
  });

  test('streams are connected by keys of one type, and broadcast state by its descriptor', () => {
    built((env) => {
      const flights = env.fromSource(source).uid('flights');
      const rules = env.fromSource(fromCollection([{ origin: 'ATL', limit: 5 }])).uid('rules');
      const byOrigin = rules.broadcast(broadcastState<string, { limit: number }>('rules'));
      expectTypeOf(byOrigin).toEqualTypeOf<BroadcastStream<{ origin: string; limit: number }, string, { limit: number }>>();
      return flights
        .keyBy(({ origin }) => origin)
        .connect(byOrigin)
        .process({
          emits: type<number>(),
          processElement({ delay }, { key, broadcast, emit }) {
            if (delay > (broadcast.get(key)?.limit ?? Infinity)) emit(delay);
            // @ts-expect-error -- this side only reads
            if (delay < 0) broadcast.clear();
          },
          processBroadcast: (rule, { broadcast }) => broadcast.put(rule.origin, rule),
        })
        .uid('judged');
    });
  });
});
