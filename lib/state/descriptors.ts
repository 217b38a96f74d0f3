/**
 * What users declare: named state of one kind. A process function declares its state as a record of descriptors and gets a record of handles
 * (`HandlesOf`), scoped to the current key.
 */
export interface StateTtl {
  readonly ttlMs: number;
  /** Flink's update types; default `on-create-and-write`. */
  readonly update?: 'on-create-and-write' | 'on-read-and-write';
  /** Default `never-return-expired`. */
  readonly visibility?: 'never-return-expired' | 'return-expired-if-not-cleaned-up';
}

export interface StateOptions {
  readonly ttl?: StateTtl;
}

export interface ValueStateDescriptor<T> extends StateOptions {
  readonly kind: 'value';
  readonly type?: T;
}
export interface ListStateDescriptor<T> extends StateOptions {
  readonly kind: 'list';
  readonly type?: T;
}
export interface MapStateDescriptor<K, V> extends StateOptions {
  readonly kind: 'map';
  readonly type?: readonly [K, V];
  /** Default `whole`: all entries of a key are in memory when one of its records is processed. */
  readonly load?: 'whole' | 'by-entry';
}
/** Only the entries that the function asks for are loaded: for maps that are large under one key. */
export interface EntryMapStateDescriptor<K, V> extends MapStateDescriptor<K, V> {
  readonly load: 'by-entry';
}
export interface ReducingStateDescriptor<T> extends StateOptions {
  readonly kind: 'reducing';
  readonly reduce: (left: T, right: T) => T;
}
export interface AggregatingStateDescriptor<In, Acc, Out> extends StateOptions {
  readonly kind: 'aggregating';
  readonly aggregate: AggregateFunction<In, Acc, Out>;
}

/** Flink's AggregateFunction. `merge` is needed for session windows only. */
export interface AggregateFunction<In, Acc, Out> {
  readonly createAccumulator: () => Acc;
  readonly add: (value: In, accumulator: Acc) => Acc;
  readonly getResult: (accumulator: Acc) => Out;
  readonly merge?: (left: Acc, right: Acc) => Acc;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the variance of a descriptor's functions cannot be written with unknown
type Loose = any;

export type KeyedStateDescriptor =
  | ValueStateDescriptor<Loose>
  | ListStateDescriptor<Loose>
  | MapStateDescriptor<Loose, Loose>
  | ReducingStateDescriptor<Loose>
  | AggregatingStateDescriptor<Loose, Loose, Loose>;

export type StateDescriptors = Readonly<Record<string, KeyedStateDescriptor>>;

/** Treat what a read returns as read-only: a changed object that is not written back is not stored. */
export interface ValueState<T> {
  value(): T | undefined;
  update(value: T): void;
  clear(): void;
}
export interface ListState<T> {
  get(): readonly T[];
  add(value: T): void;
  addAll(values: readonly T[]): void;
  update(values: readonly T[]): void;
  clear(): void;
}
/**
 * Keys are what keys of streams may be: strings, finite numbers, booleans, null, or arrays and plain objects of these.
 * Of a map that is loaded by entry, `get` and `contains` know what the function's `entries` asked for and what the same call has written;
 * `entries` and `isEmpty` need `'all'`; `put`, `remove` and `clear` need nothing.
 */
export interface MapState<K, V> {
  get(key: K): V | undefined;
  put(key: K, value: V): void;
  contains(key: K): boolean;
  remove(key: K): void;
  entries(): readonly (readonly [K, V])[];
  isEmpty(): boolean;
  clear(): void;
}
export interface ReducingState<T> {
  get(): T | undefined;
  add(value: T): void;
  clear(): void;
}
export interface AggregatingState<In, Out> {
  get(): Out | undefined;
  add(value: In): void;
  clear(): void;
}

export type HandleOf<D> =
  D extends ValueStateDescriptor<infer T>
    ? ValueState<T>
    : D extends ListStateDescriptor<infer T>
      ? ListState<T>
      : D extends MapStateDescriptor<infer K, infer V>
        ? MapState<K, V>
        : D extends ReducingStateDescriptor<infer T>
          ? ReducingState<T>
          : D extends AggregatingStateDescriptor<infer In, infer _Acc, infer Out>
            ? AggregatingState<In, Out>
            : never;

export type HandlesOf<S extends StateDescriptors> = { readonly [Name in keyof S]: HandleOf<S[Name]> };
