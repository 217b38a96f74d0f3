import type { KeyedStateDescriptor } from '../state/descriptors.ts';
import type { OperatorListDescriptor } from '../operators/operator-state.ts';

/** What a function has that declares no state: a record without names. */
export type NoState = Readonly<Record<never, KeyedStateDescriptor>>;
export type NoOperatorState = Readonly<Record<never, OperatorListDescriptor<unknown>>>;
