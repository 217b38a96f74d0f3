/** `state: { last: valueState<number>() }`: the short way to write descriptors. */
import type {
  AggregateFunction,
  AggregatingStateDescriptor,
  EntryMapStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  StateOptions,
  ValueStateDescriptor,
} from './descriptors.ts';

export function valueState<T>(options: StateOptions = {}): ValueStateDescriptor<T> {
  return { kind: 'value', ...options };
}

export function listState<T>(options: StateOptions = {}): ListStateDescriptor<T> {
  return { kind: 'list', ...options };
}

export function mapState<K, V>(options: StateOptions & { readonly load: 'by-entry' }): EntryMapStateDescriptor<K, V>;
export function mapState<K, V>(options?: StateOptions & { readonly load?: 'whole' }): MapStateDescriptor<K, V>;
export function mapState<K, V>(options: StateOptions & { readonly load?: 'whole' | 'by-entry' } = {}): MapStateDescriptor<K, V> {
  return { kind: 'map', ...options };
}

export function reducingState<T>(reduce: (left: T, right: T) => T, options: StateOptions = {}): ReducingStateDescriptor<T> {
  return { kind: 'reducing', reduce, ...options };
}

export function aggregatingState<In, Acc, Out>(
  aggregate: AggregateFunction<In, Acc, Out>,
  options: StateOptions = {},
): AggregatingStateDescriptor<In, Acc, Out> {
  return { kind: 'aggregating', aggregate, ...options };
}
