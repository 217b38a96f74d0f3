/** What every user function with a context meets, whatever its inputs. */
import type { TimerDomain } from '../model/state-row.ts';
import type { OperatorHandlesOf, OperatorStateDescriptors } from './operator-state.ts';
import type { OutputTag } from './output-tag.ts';

/** Functions of a context may be taken out of it: `process(value, { emit, state }) {…}`. The context itself is reused: do not keep it. */
export interface EmittingContext<Out> {
  /** Event time of the element in hand; of the timer in `onTimer`. @throws where the record has none */
  readonly timestamp: number;
  readonly currentWatermark: number;
  /** Results bear the timestamp of the element in hand. */
  readonly emit: (value: Out) => void;
  readonly emitTo: <T>(tag: OutputTag<T>, value: T) => void;
}

export interface SubtaskContext<O extends OperatorStateDescriptors> {
  readonly subtask: number;
  readonly parallelism: number;
  readonly operatorState: OperatorHandlesOf<O>;
}

export interface Timers {
  readonly registerEventTime: (timestamp: number) => void;
  readonly deleteEventTime: (timestamp: number) => void;
  readonly registerProcessingTime: (timestamp: number) => void;
  readonly deleteProcessingTime: (timestamp: number) => void;
}

export interface Timer {
  readonly timestamp: number;
  readonly domain: TimerDomain;
}

/** `emits: type<Season>()`: says what a function emits, because TypeScript cannot infer it from calls of `emit`. */
export interface TypeWitness<T> {
  readonly witness?: (value: T) => T;
}
