/** The functions that users write for `process` of connected and broadcast-connected streams. */
import type { StateDescriptors } from '../state/descriptors.ts';
import type { EntriesOf } from '../state/entry-request.ts';
import type { BroadcastState, ReadonlyBroadcastState } from './broadcast-state.ts';
import type { SubtaskContext, Timer, TypeWitness } from './function-types.ts';
import type { OperatorStateDescriptors } from './operator-state.ts';
import type { KeyedProcessContext, ProcessContext } from './process-function.ts';

export interface CoProcessFunction<In1, In2, Out, O extends OperatorStateDescriptors> {
  readonly emits?: TypeWitness<Out>;
  readonly operatorState?: O;
  open?(context: SubtaskContext<O>): void;
  process1(value: In1, context: ProcessContext<Out, O>): void;
  process2(value: In2, context: ProcessContext<Out, O>): void;
  finish?(context: ProcessContext<Out, O>): void;
}

/** Both inputs share the state and the timers of the key. */
export interface KeyedCoProcessFunction<K, In1, In2, Out, S extends StateDescriptors, O extends OperatorStateDescriptors> {
  readonly emits?: TypeWitness<Out>;
  readonly state?: S;
  /** As in KeyedProcessFunction. */
  readonly entries?: {
    process1?(value: In1, key: K): EntriesOf<S>;
    process2?(value: In2, key: K): EntriesOf<S>;
    onTimer?(timer: Timer, key: K): EntriesOf<S>;
  };
  readonly operatorState?: O;
  open?(context: SubtaskContext<O>): void;
  process1(value: In1, context: KeyedProcessContext<K, Out, S, O>): void;
  process2(value: In2, context: KeyedProcessContext<K, Out, S, O>): void;
  onTimer?(timer: Timer, context: KeyedProcessContext<K, Out, S, O>): void;
  finish?(context: ProcessContext<Out, O>): void;
}

/** Only `processBroadcast` may write, and it sees no key: every subtask must come to the same broadcast state. */
export interface BroadcastProcessFunction<In, B, BK, BV, Out, O extends OperatorStateDescriptors> {
  readonly emits?: TypeWitness<Out>;
  readonly operatorState?: O;
  open?(context: SubtaskContext<O>): void;
  processElement(value: In, context: ProcessContext<Out, O> & { readonly broadcast: ReadonlyBroadcastState<BK, BV> }): void;
  processBroadcast(value: B, context: ProcessContext<Out, O> & { readonly broadcast: BroadcastState<BK, BV> }): void;
  finish?(context: ProcessContext<Out, O>): void;
}

export interface KeyedBroadcastProcessFunction<K, In, B, BK, BV, Out, S extends StateDescriptors, O extends OperatorStateDescriptors> {
  readonly emits?: TypeWitness<Out>;
  readonly state?: S;
  /** As in KeyedProcessFunction. */
  readonly entries?: {
    processElement?(value: In, key: K): EntriesOf<S>;
    onTimer?(timer: Timer, key: K): EntriesOf<S>;
  };
  readonly operatorState?: O;
  open?(context: SubtaskContext<O>): void;
  processElement(value: In, context: KeyedProcessContext<K, Out, S, O> & { readonly broadcast: ReadonlyBroadcastState<BK, BV> }): void;
  processBroadcast(value: B, context: ProcessContext<Out, O> & { readonly broadcast: BroadcastState<BK, BV> }): void;
  onTimer?(timer: Timer, context: KeyedProcessContext<K, Out, S, O> & { readonly broadcast: ReadonlyBroadcastState<BK, BV> }): void;
  finish?(context: ProcessContext<Out, O>): void;
}
