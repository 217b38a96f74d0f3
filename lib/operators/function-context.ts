/**
 * The one implementation behind every context that user functions see; what a function may do with it is decided by the type it is given.
 * Made once per operator and pointed at each element, so that a record costs no allocation here.
 */
import { SluiceError } from '../base/errors.ts';
import { NO_TIMESTAMP } from '../model/time.ts';
import type { HandleOf, KeyedStateDescriptor, StateDescriptors } from '../state/descriptors.ts';
import type { KeyedContext } from '../state/keyed-context.ts';
import { type BroadcastState, openBroadcastState } from './broadcast-state.ts';
import type { Timers } from './function-types.ts';
import type { OperatorListState, OperatorStateDescriptors } from './operator-state.ts';
import { openOperatorStates } from './operator-state-handles.ts';
import type { OperatorContext, Output } from './operator.ts';
import type { OutputTag } from './output-tag.ts';

export interface FunctionContextNeeds {
  /** Which inputs have keys. */
  readonly keyedInputs: readonly boolean[];
  readonly state: StateDescriptors;
  readonly operatorState: OperatorStateDescriptors;
  /** Name of the broadcast state. */
  readonly broadcast?: string;
}

export class FunctionContext {
  readonly subtask: number;
  readonly parallelism: number;
  readonly operatorState: Readonly<Record<string, OperatorListState<unknown>>>;
  readonly broadcast: BroadcastState<unknown, unknown> | undefined;
  readonly emit: (value: unknown) => void;
  readonly emitTo: (tag: OutputTag<unknown>, value: unknown) => void;
  readonly #operator: OperatorContext;
  readonly #keyed: KeyedContext | undefined;
  readonly #state: Readonly<Record<string, HandleOf<KeyedStateDescriptor>>>;
  readonly #timers: Timers | undefined;
  /** Whether the element in hand has a key: broadcast records and the end of the input have none. */
  #onKey = false;
  #time = NO_TIMESTAMP;
  #emitTime = NO_TIMESTAMP;

  constructor(operator: OperatorContext, needs: FunctionContextNeeds) {
    this.subtask = operator.subtask;
    this.parallelism = operator.parallelism;
    this.#operator = operator;
    const keyed = needs.keyedInputs.includes(true) ? operator.keyed() : undefined;
    this.#keyed = keyed;
    this.#state = keyed === undefined ? {} : openStates(keyed, needs.state);
    this.operatorState = openOperatorStates(operator, needs.operatorState);
    this.#timers = keyed === undefined ? undefined : timersOf(keyed);
    this.broadcast = needs.broadcast === undefined ? undefined : openBroadcastState(operator, needs.broadcast);
    const main = operator.output('');
    const sides = new Map<string, Output>();
    this.emit = (value) => main.emit(value, this.#emitTime);
    this.emitTo = (tag, value) => {
      let side = sides.get(tag.id);
      if (side === undefined) sides.set(tag.id, (side = operator.output(tag.id)));
      side.emit(value, this.#emitTime);
    };
  }

  /** Points the context at a record, or at a timer of event time. */
  at(timestamp: number, onKey: boolean): void {
    this.#onKey = onKey;
    this.#time = timestamp;
    this.#emitTime = timestamp;
  }

  /** A timer of processing time has a time of its own, which is no event time for what it emits. */
  atProcessingTime(timestamp: number): void {
    this.#onKey = true;
    this.#time = timestamp;
    this.#emitTime = NO_TIMESTAMP;
  }

  get timestamp(): number {
    if (this.#time === NO_TIMESTAMP) throw missingTimestamp(this.#operator.uid);
    return this.#time;
  }

  get currentWatermark(): number {
    return this.#onKey ? this.#keyed!.currentWatermark() : this.#operator.currentWatermark();
  }

  get currentProcessingTime(): number {
    return this.#keyed!.currentProcessingTime();
  }

  // The types hide these three where there is no key. Who gets around the types must not meet the key of the record before.

  get key(): unknown {
    if (!this.#onKey) throw this.#noKey('the key');
    return this.#keyed!.currentKey();
  }

  get state(): Readonly<Record<string, HandleOf<KeyedStateDescriptor>>> {
    if (!this.#onKey) throw this.#noKey('keyed state');
    return this.#state;
  }

  get timers(): Timers | undefined {
    if (!this.#onKey) throw this.#noKey('timers');
    return this.#timers;
  }

  #noKey(what: string): SluiceError {
    const operator = this.#operator.uid;
    return new SluiceError('SLUICE-NO-KEY', `operator ${operator} uses ${what} on an element that has no key`, {
      hint: 'Use the key, keyed state and timers in process and onTimer of a keyed stream: not in open or finish, and not for broadcast records.',
      facts: { operator },
    });
  }
}

export function missingTimestamp(operator: string): SluiceError {
  return new SluiceError('SLUICE-RECORD-WITHOUT-TIMESTAMP', `operator ${operator} works by event time, and a record has no timestamp`, {
    hint: 'Give its source a watermark strategy that says where the event time of a record is, for example monotonousTimestamps((order) => order.placedAt).',
    facts: { operator },
  });
}

function openStates(keyed: KeyedContext, descriptors: StateDescriptors): Readonly<Record<string, HandleOf<KeyedStateDescriptor>>> {
  return Object.fromEntries(Object.entries(descriptors).map(([name, descriptor]) => [name, keyed.state(name, descriptor)]));
}

function timersOf({ timers }: KeyedContext): Timers {
  return {
    registerEventTime: (timestamp) => timers.register('event', wholeMilliseconds(timestamp)),
    deleteEventTime: (timestamp) => timers.remove('event', wholeMilliseconds(timestamp)),
    registerProcessingTime: (timestamp) => timers.register('processing', wholeMilliseconds(timestamp)),
    deleteProcessingTime: (timestamp) => timers.remove('processing', wholeMilliseconds(timestamp)),
  };
}

/** A fraction, or a Date that became NaN, would never be found again in the timers' order. */
function wholeMilliseconds(timestamp: number): number {
  if (Number.isSafeInteger(timestamp)) return timestamp;
  throw new SluiceError('SLUICE-TIMER-INVALID', `${String(timestamp)} is not a time for a timer`, {
    hint: 'Give a timer whole milliseconds since 1970; round what you computed.',
    facts: { timestamp },
  });
}
