/** What users write for windows, beside ReduceFunction and AggregateFunction. */
import type { EmittingContext, TypeWitness } from './function-types.ts';

/** From `start`, before `end`, in milliseconds. */
export interface TimeWindow {
  readonly start: number;
  readonly end: number;
}

/** `timestamp` is that of the results: the last millisecond of the window. */
export interface WindowContext<K> extends Omit<EmittingContext<never>, 'emit'> {
  readonly key: K;
  readonly window: TimeWindow;
  readonly currentProcessingTime: number;
}

/** Second argument of `reduce` and `aggregate`: makes the window's output of what they came to. */
export type WindowFunction<K, Result, Out> = (result: Result, context: WindowContext<K>) => Out;

/** `windowed.process(…)`: gets all elements of the window, which are therefore all kept in state. */
export interface ProcessWindowFunction<K, In, Out> {
  readonly emits?: TypeWitness<Out>;
  process(elements: readonly In[], context: WindowContext<K> & EmittingContext<Out>): void;
}
