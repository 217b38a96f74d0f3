/** US flights: a summary per airport and day, and the seasons in which a route was flown. */
import {
  boundedOutOfOrderness,
  days,
  defineJob,
  minutes,
  parameter,
  recordsFrom,
  recordsTo,
  tumblingEventTime,
  type,
  valueState,
} from 'sluice';
import { type Route, type SeasonLine, seasonLine, settle, silence } from './seasons.ts';

interface Flight {
  readonly date: number;
  readonly delay: number;
  readonly origin: string;
  readonly destination: string;
}

export const job = defineJob({
  name: 'flights',
  parameters: {
    input: parameter.uri({ default: 'node_modules/vega-datasets/data/flights-3m.parquet', description: 'the flight records' }),
    output: parameter.uri({ default: 'output', description: 'the folder to write to' }),
    limit: parameter.integer({ optional: true, min: 1, description: 'read the first records only' }),
  },

  build(env, { input, output, limit }) {
    const flights = env
      .fromSource(recordsFrom<Flight>(input, { columns: ['date', 'delay', 'origin', 'destination'], limit }), {
        watermarks: boundedOutOfOrderness(minutes(10), (flight) => flight.date),
      })
      .uid('flights');

    flights
      .keyBy((flight) => flight.origin)
      .window(tumblingEventTime(days(1)))
      .aggregate(
        {
          createAccumulator: () => ({ flights: 0, delaySum: 0, delayMax: -Infinity }),
          add: ({ delay }, day) => ({ flights: day.flights + 1, delaySum: day.delaySum + delay, delayMax: Math.max(day.delayMax, delay) }),
          getResult: (day) => day,
        },
        (day, { key, window }) => ({ origin: key, windowStart: iso(window.start), windowEnd: iso(window.end), ...day }),
      )
      .uid('daily')
      .sinkTo(recordsTo(`${output}/daily`))
      .uid('daily-files');

    flights
      .keyBy((flight) => `${flight.origin}-${flight.destination}`)
      .process({
        emits: type<SeasonLine>(),
        state: { route: valueState<Route>() },

        process({ date }, { key, state, timers, currentWatermark, emit }) {
          if (date <= currentWatermark) return; // later than the watermark allows
          const before = state.route.value();
          if (before === undefined) timers.registerEventTime(date + silence);
          const route = settle(before, currentWatermark, (season) => emit(seasonLine(key, season)));
          state.route.update({ ...route, waiting: [...route.waiting, date] });
        },

        onTimer({ timestamp }, { key, state, timers, emit }) {
          const route = settle(state.route.value(), timestamp, (season) => emit(seasonLine(key, season)));
          const last = route.season?.last ?? Math.min(...route.waiting);
          if (last === Infinity) return state.route.clear();
          state.route.update(route);
          timers.registerEventTime(last + silence);
        },
      })
      .uid('seasons')
      .sinkTo(recordsTo(`${output}/seasons`))
      .uid('seasons-files');
  },
});

function iso(timestamp: number): string {
  return new Date(timestamp).toISOString();
}
