import { describe, expect, test } from 'vitest';
import { accumulatorSink, collectSink, discardingSink, fileSink } from '../../lib/index.ts';
import { sinkHarnessOf } from '../../lib/testing/index.ts';

describe('sinks that commit', () => {
  test('hand every record to the part that is being collected', () => {
    const harness = sinkHarnessOf(fileSink<{ n: number }>('out'));
    harness.processElement({ n: 1 });
    harness.processElement({ n: 2 });
    expect(harness.written()).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('of files take no record that a line of JSON cannot hold: after the commit nobody could take it back', () => {
    const harness = sinkHarnessOf(fileSink<unknown>('out'));
    harness.processElement({ zero: -0, deep: [[[[[[[[[[1]]]]]]]]]] });
    const refused = {
      code: 'SLUICE-SINK-RECORD-UNSUPPORTED',
      facts: { operator: 'under-test', what: 'a bigint', path: '.a[1].b', written: '{ a: [ 1, { b: 2n } ] }' },
    };
    expect(() => harness.processElement({ a: [1, { b: 2n }] })).toThrow(expect.objectContaining(refused));
    const symbols = Object.assign([1], { [Symbol('s')]: 2 });
    for (const bad of [symbols, [, 1], NaN, Symbol('s'), { [Symbol('s')]: 1 }, new Map()])
      expect(() => harness.processElement(bad)).toThrow();
    expect(harness.written()).toEqual([{ zero: -0, deep: [[[[[[[[[[1]]]]]]]]]] }]);
  });

  test('are told apart by where they write, whatever slashes stand at the end', () => {
    expect(fileSink('out/daily/')).toMatchObject({
      target: fileSink('out/daily').target,
      connector: { connector: 'ndjson-files', options: { uri: 'out/daily' } },
    });
    expect(fileSink('/').connector?.options).toEqual({ uri: '/' });
    expect(collectSink('a').target).not.toBe(collectSink('b').target);
  });
});

describe('the accumulator sink', () => {
  const sum = () => accumulatorSink({ initial: 0, add: (total, value: number) => total + value, merge: (left, right) => left + right });

  test('keeps its total as operator state', () => {
    const before = sinkHarnessOf(sum());
    before.processElement(1);
    before.processElement(2);
    const snapshot = before.snapshot();
    expect(snapshot.operatorStates).toEqual({ accumulator: ['3'] });
    const after = sinkHarnessOf(sum(), { restore: snapshot });
    after.processElement(4);
    expect(after.snapshot().operatorStates).toEqual({ accumulator: ['7'] });
  });

  test('writes nothing before the first record', () => {
    expect(sinkHarnessOf(sum()).snapshot().operatorStates).toEqual({ accumulator: [] });
  });

  test('merges the totals that a lower parallelism brings together', () => {
    const restore = { keyed: { cells: [], timers: [] }, operatorStates: { accumulator: ['3', '4', '5'] } };
    const harness = sinkHarnessOf(sum(), { restore });
    harness.processElement(1);
    expect(harness.snapshot().operatorStates).toEqual({ accumulator: ['13'] });
  });

  test('refuses to lose totals where it cannot merge them', () => {
    const restore = { keyed: { cells: [], timers: [] }, operatorStates: { accumulator: ['3', '4'] } };
    const sink = accumulatorSink({ initial: 0, add: (total, value: number) => total + value });
    expect(() => sinkHarnessOf(sink, { restore })).toThrow(expect.objectContaining({ code: 'SLUICE-ACCUMULATOR-UNMERGEABLE' }));
  });
});

test('the discarding sink has no state and needs no uid', () => {
  const harness = sinkHarnessOf(discardingSink<number>());
  harness.processElement(1);
  expect(harness.snapshot().operatorStates).toEqual({});
  expect(discardingSink()).toMatchObject({ states: [], name: 'discard' });
});
