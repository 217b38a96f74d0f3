/** The functions that users write for `process`: objects with declared state. */
import type { HandlesOf, StateDescriptors } from '../state/descriptors.ts';
import type { EntriesOf } from '../state/entry-request.ts';
import type { EmittingContext, SubtaskContext, Timer, Timers, TypeWitness } from './function-types.ts';
import type { OperatorStateDescriptors } from './operator-state.ts';

export interface ProcessContext<Out, O extends OperatorStateDescriptors> extends EmittingContext<Out>, SubtaskContext<O> {}

/** `stream.process(…)`: no key, no timers. */
export interface ProcessFunction<In, Out, O extends OperatorStateDescriptors> {
  readonly emits?: TypeWitness<Out>;
  readonly operatorState?: O;
  open?(context: SubtaskContext<O>): void;
  process(value: In, context: ProcessContext<Out, O>): void;
  /** The input has ended: the last chance to emit. Not called when a job is stopped without drain. */
  finish?(context: ProcessContext<Out, O>): void;
}

export interface KeyedProcessContext<K, Out, S extends StateDescriptors, O extends OperatorStateDescriptors> extends ProcessContext<
  Out,
  O
> {
  readonly key: K;
  readonly state: HandlesOf<S>;
  readonly timers: Timers;
  readonly currentProcessingTime: number;
}

/** `stream.keyBy(…).process(…)`: state and timers are those of the current key. */
export interface KeyedProcessFunction<K, In, Out, S extends StateDescriptors, O extends OperatorStateDescriptors> {
  readonly emits?: TypeWitness<Out>;
  readonly state?: S;
  /**
   * For maps declared with `{ load: 'by-entry' }`: which of the key's entries `process` and `onTimer` read. Called for a whole batch before its first
   * record is processed, and again when the batch is: it must depend on nothing but what it is given.
   */
  readonly entries?: {
    process?(value: In, key: K): EntriesOf<S>;
    onTimer?(timer: Timer, key: K): EntriesOf<S>;
  };
  readonly operatorState?: O;
  open?(context: SubtaskContext<O>): void;
  process(value: In, context: KeyedProcessContext<K, Out, S, O>): void;
  onTimer?(timer: Timer, context: KeyedProcessContext<K, Out, S, O>): void;
  finish?(context: ProcessContext<Out, O>): void;
}
