import { describe, expect, test } from 'vitest';
import { type DataStream, listState, mapState, type, valueState } from '../../lib/index.ts';
import { harnessOf } from '../../lib/testing/index.ts';

const misuse = expect.objectContaining({ code: 'SLUICE-TEST-HARNESS' }) as unknown;

describe('the operator harness', () => {
  test('notices state that was changed and not written back', () => {
    const harness = harnessOf((numbers: DataStream<number>) =>
      numbers
        .keyBy(() => 'all')
        .process({
          state: { counts: valueState<{ n: number }>() },
          process(value, { state }) {
            const counts = state.counts.value();
            if (counts === undefined) state.counts.update({ n: 0 });
            else counts.n += value;
          },
        }),
    );
    harness.processElement(1);
    expect(() => harness.processElement(1)).toThrow(misuse);
  });

  test('accepts state that was changed in place and written back', () => {
    const harness = harnessOf((numbers: DataStream<number>) =>
      numbers
        .keyBy(() => 'all')
        .process({
          state: { counts: valueState<{ n: number }>() },
          process(value, { state, emit }) {
            const counts = state.counts.value() ?? { n: 0 };
            counts.n += value;
            state.counts.update(counts);
            emit(counts.n);
          },
        }),
    );
    harness.processElement(1);
    harness.processElement(2);
    expect(harness.output()).toEqual([1, 3]);
  });

  test('notices a value that was changed after it was emitted', () => {
    const harness = harnessOf((numbers: DataStream<number>) =>
      numbers
        .keyBy(() => 'all')
        .aggregate({
          createAccumulator: () => ({ n: 0 }),
          add(value, accumulator) {
            accumulator.n += value;
            return accumulator;
          },
          getResult: (accumulator) => accumulator,
        }),
    );
    const shared = harnessOf((numbers: DataStream<number>) => {
      const total = { n: 0 };
      return numbers.map((value) => {
        total.n += value;
        return total;
      });
    });
    for (const each of [harness, shared]) {
      each.processElement(1);
      each.processElement(2);
    }
    expect(harness.output()).toEqual([{ n: 1 }, { n: 3 }]);
    expect(() => shared.output()).toThrow(misuse);
  });

  test('keeps nothing of what a function holds on to outside of state', () => {
    const harness = harnessOf((numbers: DataStream<number>) =>
      numbers
        .keyBy(() => 'all')
        .process({
          state: { all: listState<{ n: number }>() },
          process(n, { state, emit }) {
            const element = { n };
            state.all.add(element);
            emit(state.all.get().length);
          },
        }),
    );
    harness.processElement(1);
    harness.processElement(2);
    expect(harness.snapshot().keyed.cells).toEqual([['all|"all"|', '[{"n":1},{"n":2}]']]);
  });

  test('runs one operator only', () => {
    expect(() => harnessOf((numbers: DataStream<number>) => numbers.map((n) => n).map((n) => n))).toThrow(misuse);
    expect(() => harnessOf((numbers: DataStream<number>) => numbers)).toThrow(misuse);
  });

  test('finds what a function forgot to ask for, as the runtime would', () => {
    interface Order {
      readonly id: string;
      readonly reads?: readonly string[];
      readonly asks?: readonly string[] | 'all';
      readonly then?: 'list' | 'clear';
    }
    const harness = harnessOf((orders: DataStream<Order>) =>
      orders
        .keyBy(() => 'all')
        .process({
          emits: type<unknown>(),
          state: { seen: mapState<string, number>({ load: 'by-entry' }) },
          entries: {
            process: ({ asks = [] }) => ({ seen: asks }),
            onTimer: ({ timestamp }) => ({ seen: [`id${timestamp}`] }),
          },
          process({ id, reads = [], then }, { state, timers, emit }) {
            if (then === 'clear') state.seen.clear();
            emit(reads.map((read) => state.seen.get(read)));
            if (then === 'list') emit(state.seen.entries());
            state.seen.put(id, 1);
            emit(state.seen.contains(id));
            timers.registerEventTime(5);
          },
          onTimer(_timer, { state, emit }) {
            emit(['timer', state.seen.get('id5')]);
            state.seen.get('id6');
          },
        }),
    );
    const notDeclared: unknown = expect.objectContaining({ code: 'SLUICE-ENTRY-NOT-DECLARED' });
    harness.processElement({ id: 'id5' });
    harness.processElement({ id: 'id6', asks: ['id5'], reads: ['id5'] });
    expect(harness.output()).toEqual([[], true, [1], true]);
    expect(() => harness.processElement({ id: 'id7', reads: ['id5'] })).toThrow(notDeclared);
    expect(() => harness.processElement({ id: 'id7', asks: ['id6'], then: 'list' })).toThrow(
      expect.objectContaining({ code: 'SLUICE-MAP-NOT-LOADED' }),
    );
    harness.processElement({ id: 'id8', asks: 'all', reads: ['never'], then: 'list' });
    expect(harness.output().slice(-3, -1)).toEqual([
      [undefined],
      [
        ['id5', 1],
        ['id6', 1],
      ],
    ]);
    harness.processElement({ id: 'id9', then: 'clear', reads: ['id5'] });
    expect(harness.output().slice(-2)).toEqual([[undefined], true]);
    expect(() => harness.processWatermark(5)).toThrow(notDeclared);
    expect(harness.output().at(-1)).toEqual(['timer', undefined]);
    expect(() => harness.processElement({ id: 'id5', asks: 'id5' as 'all' })).toThrow(
      expect.objectContaining({ code: 'SLUICE-ENTRIES-INVALID' }),
    );
  });
});
