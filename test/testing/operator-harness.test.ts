import { describe, expect, test } from 'vitest';
import { type DataStream, listState, valueState } from '../../lib/index.ts';
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
});
