import { describe, expect, test } from 'vitest';
import { limits } from '../../lib/base/limits.ts';
import type { HandleOf, KeyedStateDescriptor } from '../../lib/state/descriptors.ts';
import { aggregatingState, listState, mapState, reducingState, valueState } from '../../lib/state/constructors.ts';
import { createHandle, createNamespaced } from '../../lib/state/state-handles.ts';
import { openBackend, testOperator } from './open-backend.ts';

/** A handle, and a way to change the key that it speaks of. */
function open<D extends KeyedStateDescriptor>(descriptor: D): { state: HandleOf<D>; on: (key: unknown) => HandleOf<D> } {
  const backend = openBackend();
  const state = createHandle(backend, 's', descriptor);
  const on = (key: unknown): HandleOf<D> => {
    backend.current = backend.resolve(key);
    return state;
  };
  on('key');
  return { state, on };
}

describe('value state', () => {
  test('holds what was written, per key', () => {
    const { state, on } = open(valueState<unknown>());
    expect(state.value()).toBeUndefined();
    for (const value of [null, false, 0, '', NaN, [], { a: 1 }]) {
      state.update(value);
      expect(state.value()).toBe(value);
    }
    expect(on('other').value()).toBeUndefined();
    expect(on('key').value()).toEqual({ a: 1 });
    state.clear();
    expect(state.value()).toBeUndefined();
  });

  test('tells keys apart that look alike, and knows equal ones again', () => {
    const { on } = open(valueState<string>());
    const alike = [1, '1', true, 'true', null, 'null', [1], ['1'], { a: 1, b: 2 }, [], {}];
    alike.forEach((key, i) => on(key).update(`${i}`));
    alike.forEach((key, i) => expect(on(key).value()).toBe(`${i}`));
    expect(on({ b: 2, a: 1 }).value()).toBe('8');
    on(0).update('zero');
    expect(on(-0).value()).toBe('zero');
  });
});

describe('list state', () => {
  test('grows, is replaced, and ends', () => {
    const { state } = open(listState<number>());
    expect(state.get()).toEqual([]);
    state.add(1);
    state.addAll([2, 3]);
    state.addAll([]);
    expect(state.get()).toEqual([1, 2, 3]);
    state.update([4]);
    expect(state.get()).toEqual([4]);
    state.update([]);
    expect(state.get()).toEqual([]);
    state.add(5);
    state.clear();
    expect(state.get()).toEqual([]);
  });

  test('does not change with what was passed', () => {
    const { state } = open(listState<number>());
    const passed = [1];
    state.addAll(passed);
    passed.push(2);
    expect(state.get()).toEqual([1]);
    state.update(passed);
    passed.push(3);
    expect(state.get()).toEqual([1, 2]);
    state.addAll(passed);
    passed.length = 0;
    expect(state.get()).toEqual([1, 2, 1, 2, 3]);
  });

  test('does not change what was read, and is not changed by it', () => {
    const { state } = open(listState<number>());
    const empty = state.get();
    state.add(1);
    const one = state.get();
    state.add(2);
    const two = state.get();
    (two as number[]).push(99);
    expect([empty, one, state.get()]).toEqual([[], [1], [1, 2]]);
    (empty as number[]).push(99);
    state.clear();
    expect(state.get()).toEqual([]);
  });

  test('can be added to itself', () => {
    const { state } = open(listState<number>());
    state.addAll([1, 2]);
    state.addAll(state.get());
    expect(state.get()).toEqual([1, 2, 1, 2]);
  });
});

describe('map state', () => {
  test('holds values by key, in any order of the parts of a key', () => {
    const { state, on } = open(mapState<unknown, number>());
    expect([state.isEmpty(), state.entries(), state.contains('a'), state.get('a')]).toEqual([true, [], false, undefined]);
    state.put('a', 1);
    state.put({ x: 1, y: [null] }, 2);
    state.put(1, 3);
    state.put('1', 4);
    expect(state.get({ y: [null], x: 1 })).toBe(2);
    expect(state.entries()).toEqual([
      ['a', 1],
      [{ x: 1, y: [null] }, 2],
      [1, 3],
      ['1', 4],
    ]);
    expect(on('other').isEmpty()).toBe(true);
    on('key').remove(1);
    state.remove('never there');
    expect([state.contains(1), state.contains('1')]).toEqual([false, true]);
    state.clear();
    expect([state.isEmpty(), state.entries()]).toEqual([true, []]);
  });

  test('has null among its values, and refuses what is no key', () => {
    const { state } = open(mapState<unknown, null>());
    state.put('a', null);
    expect([state.contains('a'), state.get('a'), state.isEmpty()]).toEqual([true, null, false]);
    for (const key of [undefined, NaN, 1n, new Date(0)]) {
      for (const use of [() => state.get(key), () => state.put(key, null), () => state.remove(key)]) {
        expect(use).toThrow(expect.objectContaining({ code: 'SLUICE-KEY-INVALID' }));
      }
    }
  });

  test.each(['__proto__', 'constructor', '|', '', '\u0000', '\ud800'])('takes the key %j as any other', (key) => {
    const { state } = open(mapState<string, number>());
    state.put(key, 1);
    expect([state.get(key), state.entries()]).toEqual([1, [[key, 1]]]);
    state.remove(key);
    expect(state.isEmpty()).toBe(true);
  });
});

describe('reducing and aggregating state', () => {
  test('reduce what was added', () => {
    const { state } = open(reducingState<number>(Math.max));
    expect(state.get()).toBeUndefined();
    for (const value of [3, 7, 5]) state.add(value);
    expect(state.get()).toBe(7);
    state.clear();
    expect(state.get()).toBeUndefined();
  });

  test('aggregate what was added', () => {
    const { state } = open(
      aggregatingState<number, { count: number; sum: number }, number>({
        createAccumulator: () => ({ count: 0, sum: 0 }),
        add: (value, { count, sum }) => ({ count: count + 1, sum: sum + value }),
        getResult: ({ count, sum }) => sum / count,
      }),
    );
    expect(state.get()).toBeUndefined();
    for (const value of [1, 2, 6]) state.add(value);
    expect(state.get()).toBe(3);
    state.clear();
    expect(state.get()).toBeUndefined();
  });

  test('null is a value and an accumulator like any other', () => {
    const { state: reduced } = open(reducingState<number | null>((left, right) => (right === 0 ? null : (left ?? 100) + (right ?? 0))));
    for (const value of [1, 0, 5]) reduced.add(value);
    expect(reduced.get()).toBe(105);
    const { state } = open(
      aggregatingState<number, number | null, string>({
        createAccumulator: () => 0,
        add: (value, total) => (value === 0 ? null : (total ?? 100) + value),
        getResult: (total) => `${total}`,
      }),
    );
    for (const value of [1, 0]) state.add(value);
    expect(state.get()).toBe('null');
    state.add(5);
    expect(state.get()).toBe('105');
  });
});

describe('namespaced state', () => {
  test('holds values by namespace, per key', () => {
    const backend = openBackend();
    const state = createNamespaced<number>(backend, 'windows');
    backend.current = backend.resolve('a');
    state.set('1', 10);
    state.set('', 20);
    backend.current = backend.resolve('b');
    expect(state.namespaces()).toEqual([]);
    backend.current = backend.resolve('a');
    const before = state.namespaces();
    state.remove('1');
    state.remove('never there');
    expect([before, state.namespaces(), state.get('1'), state.get('')]).toEqual([['1', ''], [''], undefined, 20]);
  });
});

describe('an operator', () => {
  test('may declare 30 states that are not maps, and any number of maps, and is told what to do about more', () => {
    const backend = openBackend();
    const states = Array.from({ length: 30 }, (_, i) => createHandle(backend, `value-${i}`, valueState<number>()));
    const maps = Array.from({ length: 40 }, (_, i) => createHandle(backend, `map-${i}`, mapState<string, number>()));
    expect(() => createHandle(backend, 'one-more', listState<number>())).toThrow(
      expect.objectContaining({ code: 'SLUICE-TOO-MANY-STATES', facts: { operator: testOperator, statesMax: 30 } }),
    );
    backend.current = backend.resolve('key');
    states.forEach((state, i) => state.update(i));
    maps.forEach((map, i) => map.put('x', i));
    expect([states.map((state) => state.value()), maps.map((map) => map.get('x'))]).toEqual([
      states.map((_, i) => i),
      maps.map((_, i) => i),
    ]);
    expect(backend.changes.commitTables().map(({ state, values }) => [state, values])).toEqual([
      ...states.map((_, i) => [`value-${i}`, [i]]),
      ...maps.map((_, i) => [`map-${i}`, [i]]),
    ]);
  });

  test('declares a name once, and before the first key comes', () => {
    const backend = openBackend();
    createHandle(backend, 'a', valueState<number>());
    expect(() => createHandle(backend, 'a', mapState<string, number>())).toThrow('declared twice');
    backend.resolve('key');
    expect(() => createHandle(backend, 'b', valueState<number>())).toThrow('before the first key');
  });

  test('sees a key as its text has it, warm or cold, whatever becomes of the object that came', () => {
    const backend = openBackend();
    const came = Object.assign(Object.create(null) as Record<string, unknown>, { b: [1], a: { d: 1, c: 2 } });
    const { key } = backend.resolve(came);
    came['b'].push(2);
    expect(JSON.stringify(key)).toBe('{"a":{"c":2,"d":1},"b":[1]}');
    expect(Object.getPrototypeOf(key)).toBe(Object.prototype);
    expect(backend.resolve({ a: { c: 2, d: 1 }, b: [1] }).key).toBe(key);
    expect(Object.is(backend.resolve(-0).key, 0)).toBe(true);
  });

  test('never gets a key of another shard, nor one that is no key', () => {
    const backend = openBackend({ keyGroups: { start: 0, end: 3 } });
    const verdicts = Array.from({ length: 50 }, (_, i) => {
      try {
        return backend.resolve(`key-${i}`).keyGroup;
      } catch (error) {
        expect(error).toMatchObject({ code: 'SLUICE-INVARIANT', facts: { rule: 'KB4' } });
        return 'refused';
      }
    });
    expect(new Set(verdicts)).toEqual(new Set([0, 1, 2, 3, 'refused']));
    expect(() => backend.resolve(undefined)).toThrow(expect.objectContaining({ code: 'SLUICE-KEY-INVALID' }));
    expect(() => backend.resolve('x'.repeat(limits.keyCharactersMax))).toThrow(expect.objectContaining({ code: 'SLUICE-KEY-INVALID' }));
  });
});
