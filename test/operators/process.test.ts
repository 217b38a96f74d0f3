import { describe, expect, test } from 'vitest';
import { type DataStream, operatorList, operatorUnionList, outputTag, type } from '../../lib/index.ts';
import { harnessOf } from '../../lib/testing/index.ts';

const inBatches = (size: number) => (numbers: DataStream<number>) =>
  numbers.process({
    emits: type<readonly number[]>(),
    operatorState: { buffer: operatorList<number>() },
    process(value, { operatorState: { buffer }, emit }) {
      buffer.add(value);
      if (buffer.items().length < size) return;
      emit([...buffer.items()]);
      buffer.clear();
    },
    finish({ operatorState: { buffer }, emit }) {
      if (buffer.items().length > 0) emit([...buffer.items()]);
      buffer.clear();
    },
  });

describe('a process function without a key', () => {
  test('keeps operator state between records and gives up the rest at the end of the input', () => {
    const harness = harnessOf(inBatches(2));
    for (const n of [1, 2, 3]) harness.processElement(n);
    expect(harness.output()).toEqual([[1, 2]]);
    harness.end();
    expect(harness.output()).toEqual([[1, 2], [3]]);
  });

  test('goes on with the operator state of its snapshot', () => {
    const before = harnessOf(inBatches(3));
    before.processElement(1);
    before.processElement(2);
    const snapshot = before.snapshot();
    before.processElement(3);
    const after = harnessOf(inBatches(3), { restore: snapshot });
    after.processElement(4);
    expect(after.output()).toEqual([[1, 2, 4]]);
  });

  test('replaces the items of a union list as a whole', () => {
    const build = (numbers: DataStream<number>) =>
      numbers.process({
        operatorState: { seen: operatorUnionList<number>() },
        open({ operatorState, subtask, parallelism }) {
          operatorState.seen.update([...operatorState.seen.items(), subtask * 10 + parallelism]);
        },
        process(_value, { operatorState, emit }) {
          emit(operatorState.seen.items());
        },
      });
    const harness = harnessOf(build, { subtask: 1, parallelism: 4 });
    const restored = harnessOf(build, { subtask: 2, parallelism: 4, restore: harness.snapshot() });
    restored.processElement(0);
    expect(restored.output()).toEqual([[14, 24]]);
  });

  test('sees the watermark, and emits to side outputs with the timestamp of the record', () => {
    const late = outputTag<number>('late');
    const harness = harnessOf((numbers: DataStream<number>) =>
      numbers.process({
        emits: type<number>(),
        process(value, { timestamp, currentWatermark, emit, emitTo }) {
          if (timestamp <= currentWatermark) emitTo(late, value);
          else emit(value);
        },
      }),
    );
    harness.processElement(1, 5);
    harness.processWatermark(10);
    harness.processElement(2, 5);
    expect(harness.records()).toEqual([{ value: 1, timestamp: 5 }]);
    expect(harness.sideOutput(late)).toEqual([2]);
  });
});
