/**
 * State of a subtask that is not keyed: `operatorState: { buffer: operatorList<T>() }`. On a change of parallelism a list is dealt out over the new
 * subtasks, a union list is given whole to every one of them.
 */
export interface OperatorListDescriptor<T> {
  readonly kind: 'operator-list' | 'operator-union';
  /** Never set: carries the type. */
  readonly type?: T;
}

export type OperatorStateDescriptors = Readonly<Record<string, OperatorListDescriptor<unknown>>>;

/** Treat items as read-only: a changed item that is not written back is not stored. */
export interface OperatorListState<T> {
  items(): readonly T[];
  add(item: T): void;
  update(items: readonly T[]): void;
  clear(): void;
}

export type OperatorHandlesOf<O extends OperatorStateDescriptors> = {
  readonly [Name in keyof O]: O[Name] extends OperatorListDescriptor<infer T> ? OperatorListState<T> : never;
};
