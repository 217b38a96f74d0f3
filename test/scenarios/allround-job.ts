/**
 * A job that checks itself: every operator knows from the number of a record what its state must be, and says so where it is not. So what is wrong with
 * state, timers or windows is an alert, wherever it happened.
 */
import {
  aggregatingState,
  broadcastState,
  collectSink,
  compileJob,
  defineJob,
  listState,
  mapState,
  monotonousTimestamps,
  operatorList,
  operatorUnionList,
  reducingState,
  sessionEventTime,
  slidingEventTime,
  tumblingEventTime,
  type,
  valueState,
  type CompiledJob,
  type DataStream,
  type Source,
  type WindowAssigner,
} from '../../lib/index.ts';

/** Per key numbered from 1, without gaps. */
export interface Numbered {
  readonly key: number;
  readonly number: number;
}

interface Window {
  readonly key: number;
  readonly start: number;
  readonly count: number;
}

/** Records of a key come in bursts of so many, one in a millisecond; a period is from burst to burst. */
const burst = 25;
const period = 125;
const timerDelay = 60;
const timeOf = ({ number }: Numbered): number => number + (period - burst) * Math.floor((number - 1) / burst);

/** What must be kept for ever, once it is there. From this number on it is there in every run. */
const settledFrom = 2 * burst;
const rules = broadcastState<string, number>('rules');

export interface AllroundInputs {
  readonly numbers: Source<Numbered>;
  readonly rules: Source<number>;
}

export function allround(inputs: AllroundInputs, parallelism: number): CompiledJob {
  const job = defineJob({
    name: 'allround',
    build(env) {
      const numbers = env
        .fromSource(inputs.numbers, { watermarks: monotonousTimestamps(timeOf) })
        .uid('numbers')
        .setParallelism(2);
      const written = env.fromSource(inputs.rules).uid('rules').broadcast(rules);
      const checked = checkOperatorStates(numbers);
      const ruled = checked
        .connect(written)
        .process({
          emits: type<string>(),
          processElement({ number }, { broadcast, emit }) {
            if (number > settledFrom && broadcast.get('rule 1') !== 1) emit(`broadcast state is gone at ${number}`);
          },
          processBroadcast: (rule, { broadcast }) => broadcast.put(`rule ${rule}`, rule),
        })
        .uid('ruled');
      const keyed = checkKeyedStates(checked);
      const windows = [
        checkWindows(checked, 'tumbling', tumblingEventTime(period), { first: 0, count: burst }),
        checkWindows(checked, 'sliding', slidingEventTime(2 * period, period), { first: -period, count: 2 * burst }),
        checkWindows(checked, 'session', sessionEventTime(period - burst - 10), { first: 1, count: burst }),
      ];
      ruled
        .union(keyed, ...windows)
        .sinkTo(collectSink('alerts'))
        .uid('alerts');
      checked.sinkTo(collectSink('checked')).uid('checked');
    },
  });
  return compileJob(job, { parallelism });
}

/** A list that is dealt out and a union that is whole in every subtask; records go on as they were. */
function checkOperatorStates(numbers: DataStream<Numbered>): DataStream<Numbered> {
  return numbers
    .keyBy(({ key }) => key)
    .process({
      emits: type<Numbered>(),
      operatorState: { seen: operatorList<number>(), marks: operatorUnionList<string>() },
      process(record, { operatorState: { seen, marks }, emit }) {
        if (record.number > settledFrom && !marks.items().includes('mark')) emit({ ...record, number: Number.NaN });
        marks.update(['mark']);
        seen.update([(seen.items()[0] ?? 0) + 1, ...seen.items().slice(1)]);
        emit(record);
      },
    })
    .uid('operator-states');
}

/** Alerts of all keyed states and of event timers. */
function checkKeyedStates(numbers: DataStream<Numbered>): DataStream<string> {
  return numbers
    .keyBy(({ key }) => key)
    .process({
      emits: type<string>(),
      state: {
        value: valueState<number>(),
        expiring: valueState<number>({ ttl: { ttlMs: 3_600_000 } }),
        list: listState<number>(),
        map: mapState<number, number>(),
        reducing: reducingState<number>((left, right) => left + right),
        aggregating: aggregatingState({
          createAccumulator: () => 0,
          add: (_: number, count: number) => count + 1,
          getResult: (count) => count,
        }),
        fired: valueState<number>(),
      },
      process({ number }, { key, state, timers, emit }) {
        const last = number - 1;
        const check = (what: string, found: unknown, expected: unknown): void => {
          if (JSON.stringify(found) !== JSON.stringify(expected)) {
            emit(`${what} of key ${key} at ${number} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
          }
        };
        check('value', state.value.value() ?? 0, last);
        check('expiring value', state.expiring.value() ?? 0, last);
        check(
          'list',
          state.list.get(),
          Array.from({ length: last % 10 }, (_, i) => last - (last % 10) + i + 1),
        );
        check('map', state.map.get(number % 7) ?? 0, Math.max(number - 7, 0));
        check('reducing', state.reducing.get() ?? 0, (last * number) / 2);
        check('aggregating', state.aggregating.get() ?? 0, last);
        state.value.update(number);
        state.expiring.update(number);
        if (number % 10 === 0) state.list.clear();
        else state.list.add(number);
        state.map.put(number % 7, number);
        state.reducing.add(number);
        state.aggregating.add(number);
        if (number % burst === 0) timers.registerEventTime(timeOf({ key, number }) + timerDelay);
      },
      onTimer({ timestamp }, { key, state, emit }) {
        const expected = (state.fired.value() ?? burst + timerDelay - period) + period;
        if (timestamp !== expected) emit(`timer ${timestamp} of key ${key} fired, not ${expected}`);
        state.fired.update(timestamp);
      },
    })
    .uid('keyed-states');
}

/** Alerts where a key's windows do not come one after another, each whole. */
function checkWindows(
  numbers: DataStream<Numbered>,
  kind: string,
  assigner: WindowAssigner,
  { first, count: whole }: { readonly first: number; readonly count: number },
): DataStream<string> {
  return numbers
    .keyBy(({ key }) => key)
    .window(assigner)
    .aggregate(
      { createAccumulator: () => 0, add: (_, count: number) => count + 1, getResult: (count) => count, merge: (a, b) => a + b },
      (count, { key, window }): Window => ({ key, start: window.start, count }),
    )
    .uid(`${kind}-windows`)
    .keyBy(({ key }) => key)
    .process({
      emits: type<string>(),
      state: { last: valueState<number>() },
      process({ key, start, count }, { state, emit }) {
        const last = state.last.value();
        const expected = last === undefined ? first : last + period;
        // Half of a sliding window lies before the first record, or after the last one.
        const isWhole = count === whole || (kind === 'sliding' && count === burst);
        if (start !== expected || !isWhole) emit(`${kind} window at ${start} of key ${key} has ${count}; expected was one at ${expected}`);
        state.last.update(start);
      },
    })
    .uid(`${kind}-checked`);
}
