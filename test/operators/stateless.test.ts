import { describe, expect, test } from 'vitest';
import type { DataStream } from '../../lib/index.ts';
import { harnessOf, twoInputHarnessOf } from '../../lib/testing/index.ts';

describe('map, filter and flatMap', () => {
  test('map emits one value per record, with its timestamp', () => {
    const harness = harnessOf((numbers: DataStream<number>) => numbers.map((n) => n * 2));
    harness.processElement(1, 10);
    harness.processElement(2, 20);
    expect(harness.records()).toEqual([
      { value: 2, timestamp: 10 },
      { value: 4, timestamp: 20 },
    ]);
  });

  test('filter keeps the records for which it is true, unchanged', () => {
    const harness = harnessOf((numbers: DataStream<number>) => numbers.filter((n) => n % 2 === 0));
    for (const n of [1, 2, 3, 4]) harness.processElement(n, n);
    expect(harness.records()).toEqual([
      { value: 2, timestamp: 2 },
      { value: 4, timestamp: 4 },
    ]);
  });

  test('flatMap emits what the iterable holds: none, one, many, from arrays and generators', () => {
    const harness = harnessOf((lines: DataStream<string>) =>
      lines.flatMap(function* (line) {
        for (const word of line.split(' ')) if (word !== '') yield word;
      }),
    );
    harness.processElement('to be', 1);
    harness.processElement('', 2);
    harness.processElement('or', 3);
    expect(harness.records()).toEqual([
      { value: 'to', timestamp: 1 },
      { value: 'be', timestamp: 1 },
      { value: 'or', timestamp: 3 },
    ]);
  });
});

describe('connected streams without state', () => {
  test('map applies the first function to the first input, the second to the second', () => {
    const harness = twoInputHarnessOf((left: DataStream<number>, right: DataStream<string>) =>
      left.connect(right).map(
        (n) => n + 1,
        (text) => text.length,
      ),
    );
    harness.process(0, 41);
    harness.process(1, 'three');
    expect(harness.output()).toEqual([42, 5]);
  });

  test('flatMap likewise', () => {
    const harness = twoInputHarnessOf((left: DataStream<number>, right: DataStream<string>) =>
      left.connect(right).flatMap(
        (n) => [n, n],
        (text) => [...text],
      ),
    );
    harness.process(1, 'ab', 7);
    harness.process(0, 1, 8);
    expect(harness.output()).toEqual(['a', 'b', 1, 1]);
  });
});
