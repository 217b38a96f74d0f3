/** `operatorState: { buffer: operatorList<Order>() }`: the short way to write descriptors. */
import type { OperatorListDescriptor } from './operator-state.ts';

export function operatorList<T>(): OperatorListDescriptor<T> {
  return { kind: 'operator-list' };
}

export function operatorUnionList<T>(): OperatorListDescriptor<T> {
  return { kind: 'operator-union' };
}
