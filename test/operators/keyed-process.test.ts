import { describe, expect, test } from 'vitest';
import { aggregatingState, type DataStream, listState, mapState, outputTag, reducingState, type, valueState } from '../../lib/index.ts';
import { harnessOf } from '../../lib/testing/index.ts';

interface Order {
  readonly user: string;
  readonly amount: number;
}

const order = (user: string, amount: number): Order => ({ user, amount });

describe('a keyed process function', () => {
  test('has state of its own for every key', () => {
    const harness = harnessOf((orders: DataStream<Order>) =>
      orders
        .keyBy((each) => each.user)
        .process({
          emits: type<string>(),
          state: { total: valueState<number>() },
          process({ amount }, { key, state, emit }) {
            const total = (state.total.value() ?? 0) + amount;
            state.total.update(total);
            emit(`${key}:${total}`);
          },
        }),
    );
    for (const each of [order('ada', 1), order('bob', 10), order('ada', 2)]) harness.processElement(each);
    expect(harness.output()).toEqual(['ada:1', 'bob:10', 'ada:3']);
  });

  test('uses value, list, map, reducing and aggregating state side by side', () => {
    const harness = harnessOf((orders: DataStream<Order>) =>
      orders
        .keyBy((each) => each.user)
        .process({
          emits: type<unknown>(),
          state: {
            last: valueState<number>(),
            all: listState<number>(),
            counts: mapState<number, number>(),
            sum: reducingState<number>((a, b) => a + b),
            mean: aggregatingState({
              createAccumulator: () => ({ count: 0, sum: 0 }),
              add: (value: number, { count, sum }) => ({ count: count + 1, sum: sum + value }),
              getResult: ({ count, sum }) => sum / count,
            }),
          },
          process({ amount }, { state, emit }) {
            state.last.update(amount);
            state.all.add(amount);
            state.counts.put(amount, (state.counts.get(amount) ?? 0) + 1);
            state.sum.add(amount);
            state.mean.add(amount);
            emit([state.last.value(), state.all.get(), state.counts.entries(), state.sum.get(), state.mean.get()]);
          },
        }),
    );
    harness.processElement(order('ada', 2));
    harness.processElement(order('ada', 4));
    harness.processElement(order('ada', 2));
    expect(harness.output().at(-1)).toEqual([
      2,
      [2, 4, 2],
      [
        [2, 2],
        [4, 1],
      ],
      8,
      8 / 3,
    ]);
  });

  test('fires an event-time timer once per key and time, when the watermark reaches it, with the timer as timestamp', () => {
    const harness = harnessOf((orders: DataStream<Order>) =>
      orders
        .keyBy((each) => each.user)
        .process({
          emits: type<string>(),
          process(_order, { timestamp, timers }) {
            timers.registerEventTime(timestamp + 1_000);
            timers.registerEventTime(timestamp + 1_000);
          },
          onTimer({ timestamp, domain }, { key, emit }) {
            emit(`${key} ${domain} ${timestamp}`);
          },
        }),
    );
    harness.processElement(order('bob', 1), 0);
    harness.processElement(order('ada', 1), 0);
    harness.processWatermark(999);
    expect(harness.output()).toEqual([]);
    harness.processWatermark(1_000);
    expect(harness.records()).toEqual([
      { value: 'ada event 1000', timestamp: 1_000 },
      { value: 'bob event 1000', timestamp: 1_000 },
    ]);
  });

  test('fires no timer that was deleted', () => {
    const harness = harnessOf((orders: DataStream<Order>) =>
      orders
        .keyBy((each) => each.user)
        .process({
          process({ amount }, { timers }) {
            if (amount > 0) timers.registerEventTime(10);
            else timers.deleteEventTime(10);
          },
          onTimer(_timer, { key, emit }) {
            emit(key);
          },
        }),
    );
    for (const each of [order('ada', 1), order('bob', 1), order('ada', 0)]) harness.processElement(each, 1);
    harness.processWatermark(10);
    expect(harness.output()).toEqual(['bob']);
  });

  test('fires a timer that a timer registers at or below the watermark in the same advance', () => {
    const harness = harnessOf((orders: DataStream<Order>) =>
      orders
        .keyBy((each) => each.user)
        .process({
          process(_order, { timers }) {
            timers.registerEventTime(10);
          },
          onTimer({ timestamp }, { timers, emit }) {
            emit(timestamp);
            if (timestamp < 40) timers.registerEventTime(timestamp + 10);
          },
        }),
    );
    harness.processElement(order('ada', 1), 1);
    harness.processWatermark(35);
    expect(harness.output()).toEqual([10, 20, 30]);
    expect(harness.timers('event')).toEqual([40]);
  });

  test('emits without an event time from a processing-time timer', () => {
    const harness = harnessOf((orders: DataStream<Order>) =>
      orders
        .keyBy((each) => each.user)
        .process({
          process(_order, { timers, currentProcessingTime }) {
            timers.registerProcessingTime(currentProcessingTime + 50);
          },
          onTimer({ domain }, { timestamp, emit }) {
            emit(`${domain} ${timestamp}`);
          },
        }),
    );
    harness.advanceProcessingTime(100);
    harness.processElement(order('ada', 1), 7);
    harness.advanceProcessingTime(149);
    expect(harness.output()).toEqual([]);
    harness.advanceProcessingTime(151);
    expect(harness.records()).toEqual([{ value: 'processing 150', timestamp: -9_007_199_254_740_991 }]);
  });

  test('emits to side outputs by tag', () => {
    const large = outputTag<Order>('large');
    const harness = harnessOf((orders: DataStream<Order>) =>
      orders
        .keyBy((each) => each.user)
        .process({
          emits: type<Order>(),
          process(each, { emit, emitTo }) {
            if (each.amount > 100) emitTo(large, each);
            else emit(each);
          },
        }),
    );
    harness.processElement(order('ada', 1));
    harness.processElement(order('ada', 1_000));
    expect(harness.output()).toEqual([order('ada', 1)]);
    expect(harness.sideOutput(large)).toEqual([order('ada', 1_000)]);
  });

  test('may be an instance of a class', () => {
    class Greeter {
      readonly #greeting = 'hello';
      process(each: Order, { emit }: { emit: (value: string) => void }): void {
        emit(this.greet(each.user));
      }
      greet(user: string): string {
        return `${this.#greeting} ${user}`;
      }
    }
    const harness = harnessOf((orders: DataStream<Order>) => orders.keyBy((each) => each.user).process(new Greeter()));
    harness.processElement(order('ada', 1));
    expect(harness.output()).toEqual(['hello ada']);
  });

  test('goes on from a snapshot with its state and its timers', () => {
    const build = (orders: DataStream<Order>) =>
      orders
        .keyBy((each) => each.user)
        .process({
          state: { total: valueState<number>() },
          process({ amount }, { state, timers }) {
            state.total.update((state.total.value() ?? 0) + amount);
            timers.registerEventTime(100);
          },
          onTimer(_timer, { key, state, emit }) {
            emit([key, state.total.value()]);
          },
        });
    const before = harnessOf(build);
    before.processElement(order('ada', 1), 1);
    const after = harnessOf(build, { restore: JSON.parse(JSON.stringify(before.snapshot())) });
    after.processElement(order('ada', 2), 2);
    after.processWatermark(100);
    expect(after.output()).toEqual([['ada', 3]]);
  });

  test('is told that a record has no timestamp, where it asks for one', () => {
    const harness = harnessOf((orders: DataStream<Order>) =>
      orders
        .keyBy((each) => each.user)
        .process({
          process(_order, { timestamp, emit }) {
            emit(timestamp);
          },
        }),
    );
    expect(() => harness.processElement(order('ada', 1))).toThrow(expect.objectContaining({ code: 'SLUICE-RECORD-WITHOUT-TIMESTAMP' }));
  });

  test.each([Number.NaN, 1.5, Infinity])('cannot register a timer at %s', (timestamp) => {
    const harness = harnessOf((orders: DataStream<Order>) =>
      orders
        .keyBy((each) => each.user)
        .process({
          process(_order, { timers }) {
            timers.registerEventTime(timestamp);
          },
        }),
    );
    expect(() => harness.processElement(order('ada', 1), 1)).toThrow(expect.objectContaining({ code: 'SLUICE-TIMER-INVALID' }));
  });
});
