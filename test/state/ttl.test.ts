import { describe, expect, test } from 'vitest';
import type { AggregateFunction, StateTtl } from '../../lib/state/descriptors.ts';
import { createHandle } from '../../lib/state/state-handles.ts';
import { openBackend, type TestBackend } from './open-backend.ts';

const types = [
  { update: 'on-create-and-write', visibility: 'never-return-expired' },
  { update: 'on-create-and-write', visibility: 'return-expired-if-not-cleaned-up' },
  { update: 'on-read-and-write', visibility: 'never-return-expired' },
  { update: 'on-read-and-write', visibility: 'return-expired-if-not-cleaned-up' },
] as const satisfies readonly Omit<StateTtl, 'ttlMs'>[];

const sum: AggregateFunction<number, number, string> = {
  createAccumulator: () => 0,
  add: (value, total) => total + value,
  getResult: (total) => `sum ${total}`,
};

function open<T>(make: (backend: TestBackend) => T): { state: T; at: (ms: number) => void } {
  const backend = openBackend();
  const state = make(backend);
  backend.current = backend.resolve('key');
  backend.current.full = true;
  return {
    state,
    at(ms) {
      backend.processingTimeMs = 1_000 + ms;
    },
  };
}

describe.each(types)('a time to live of 100 ms, $update, $visibility', (type) => {
  const ttl: StateTtl = { ttlMs: 100, ...type };
  const readsCount = type.update === 'on-read-and-write';
  const returnsExpired = type.visibility === 'return-expired-if-not-cleaned-up';

  test('a value lives for so long after it was written, not one millisecond longer', () => {
    for (const [ms, lives] of [
      [0, true],
      [99, true],
      [100, false],
    ] as const) {
      const { state, at } = open((backend) => createHandle(backend, 's', { kind: 'value', ttl }));
      at(0);
      state.update('a');
      at(ms);
      expect(state.value()).toBe(lives || returnsExpired ? 'a' : undefined);
      expect(state.value(), 'a read cleans up what has expired').toBe(lives ? 'a' : undefined);
    }
  });

  test('a read keeps a value alive where reading updates', () => {
    const { state, at } = open((backend) => createHandle(backend, 's', { kind: 'value', ttl }));
    at(0);
    state.update('a');
    at(60);
    expect(state.value()).toBe('a');
    at(120);
    expect(state.value()).toBe(readsCount || returnsExpired ? 'a' : undefined);
    at(170);
    expect(state.value()).toBe(readsCount ? 'a' : undefined);
  });

  test('a write begins anew, and clearing ends it', () => {
    const { state, at } = open((backend) => createHandle(backend, 's', { kind: 'value', ttl }));
    at(0);
    state.update('a');
    at(90);
    state.update('b');
    at(180);
    expect(state.value()).toBe('b');
    state.clear();
    expect(state.value()).toBeUndefined();
  });

  test('null and false are values that live', () => {
    const { state, at } = open((backend) => createHandle(backend, 's', { kind: 'value', ttl }));
    at(0);
    for (const value of [null, false, 0, '']) {
      state.update(value);
      expect(state.value()).toBe(value);
    }
  });

  test('every element of a list has its own', () => {
    const { state, at } = open((backend) => createHandle(backend, 's', { kind: 'list', ttl }));
    at(0);
    state.add('a');
    at(60);
    state.addAll(['b', 'c']);
    at(110);
    expect(state.get()).toEqual(returnsExpired ? ['a', 'b', 'c'] : ['b', 'c']);
    at(150);
    // Where reading updates, that read has dropped `a` and renewed the others.
    expect(state.get()).toEqual(returnsExpired && !readsCount ? ['a', 'b', 'c'] : ['b', 'c']);
    at(160);
    const all = returnsExpired ? ['a', 'b', 'c'] : [];
    expect(state.get()).toEqual(readsCount ? ['b', 'c'] : all);
    at(270);
    expect(state.get()).toEqual(readsCount && returnsExpired ? ['b', 'c'] : []);
    expect(state.get()).toEqual([]);
  });

  test('a list that is written drops what has expired', () => {
    const { state, at } = open((backend) => createHandle(backend, 's', { kind: 'list', ttl }));
    at(0);
    state.update(['a']);
    at(100);
    state.add('b');
    expect(state.get()).toEqual(['b']);
    state.clear();
    expect(state.get()).toEqual([]);
  });

  test('every value of a map has its own', () => {
    const { state, at } = open((backend) => createHandle(backend, 's', { kind: 'map', ttl }));
    at(0);
    state.put('a', 1);
    at(60);
    state.put('b', 2);
    at(110);
    expect(state.contains('b')).toBe(true);
    expect(state.entries()).toEqual(
      returnsExpired
        ? [
            ['a', 1],
            ['b', 2],
          ]
        : [['b', 2]],
    );
    expect(state.get('a'), 'that read has cleaned up').toBeUndefined();
    at(165);
    expect(state.get('b')).toBe(readsCount || returnsExpired ? 2 : undefined);
    at(500);
    if (!returnsExpired) expect([state.isEmpty(), state.contains('b')]).toEqual([true, false]);
    state.put('c', 3);
    state.remove('c');
    expect(state.get('c')).toBeUndefined();
  });

  test('a reduced value begins anew when the old one has expired', () => {
    const { state, at } = open((backend) => createHandle(backend, 's', { kind: 'reducing', reduce: (a: number, b: number) => a + b, ttl }));
    at(0);
    state.add(1);
    at(99);
    state.add(2);
    at(198);
    expect(state.get()).toBe(3);
    at(400);
    state.add(4);
    // Flink adds to the expired value too, where expired values are returned.
    expect(state.get()).toBe(returnsExpired ? 7 : 4);
  });

  test('an aggregate begins anew when the old one has expired', () => {
    const { state, at } = open((backend) => createHandle(backend, 's', { kind: 'aggregating', aggregate: sum, ttl }));
    at(0);
    state.add(1);
    at(50);
    expect(state.get()).toBe('sum 1');
    at(300);
    state.add(4);
    expect(state.get()).toBe(returnsExpired ? 'sum 5' : 'sum 4');
  });
});

test('the default is to update on write, and never to return what has expired', () => {
  const { state, at } = open((backend) => createHandle(backend, 's', { kind: 'value', ttl: { ttlMs: 100 } }));
  at(0);
  state.update('a');
  at(60);
  expect(state.value()).toBe('a');
  at(100);
  expect(state.value()).toBeUndefined();
});
