/**
 * Broadcast state: a map that every subtask holds in full. All subtasks see the same broadcast records, so all must write the same: only the
 * broadcast side may write, and what it writes may depend on nothing but those records.
 */
import { canonicalKey } from '../model/canonical-key.ts';
import type { OperatorContext } from './operator.ts';

export interface BroadcastStateDescriptor<K, V> {
  readonly kind: 'broadcast';
  readonly name: string;
  /** Never set: carries the types. */
  readonly type?: readonly [K, V];
}

/** Keys are what keys of streams may be. Treat values as read-only. */
export interface ReadonlyBroadcastState<K, V> {
  get(key: K): V | undefined;
  contains(key: K): boolean;
  entries(): readonly (readonly [K, V])[];
}

export interface BroadcastState<K, V> extends ReadonlyBroadcastState<K, V> {
  put(key: K, value: V): void;
  remove(key: K): void;
  clear(): void;
}

export function broadcastState<K, V>(name: string): BroadcastStateDescriptor<K, V> {
  return { kind: 'broadcast', name };
}

/** In `open` only. The stored items are `[key, value]` pairs in the order in which keys came. */
export function openBroadcastState(context: OperatorContext, name: string): BroadcastState<unknown, unknown> {
  const handle = context.operatorState(name, 'broadcast');
  const pairs = new Map(handle.items.map((item) => [canonicalKey((item as [unknown, unknown])[0]), item as [unknown, unknown]]));
  const write = (): void => {
    handle.items = [...pairs.values()];
    handle.changed();
  };
  return {
    get: (key) => pairs.get(canonicalKey(key))?.[1],
    contains: (key) => pairs.has(canonicalKey(key)),
    entries: () => [...pairs.values()],
    put(key, value) {
      pairs.set(canonicalKey(key), [key, value]);
      write();
    },
    remove(key) {
      if (pairs.delete(canonicalKey(key))) write();
    },
    clear() {
      if (pairs.size === 0) return;
      pairs.clear();
      write();
    },
  };
}
