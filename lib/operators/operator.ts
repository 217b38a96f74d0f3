/**
 * The contract between the runtime and what runs inside a chain. Everything here is synchronous: state is loaded before, effects happen after the commit.
 *
 * O1. An operator keeps nothing between elements but what it put into state: an invocation may be thrown away and done again elsewhere.
 *     (Fields set in `open` and caches that can be rebuilt are fine.)
 * O2. The runtime sets the current key before `process` and `onTimer` of the head operator of a keyed vertex.
 */
import type { OperatorUid } from '../base/ids.ts';
import type { ConnectorSpec, StateDeclaration } from '../model/job-plan.ts';
import type { TimerDomain } from '../model/state-row.ts';
import type { EntryRequest } from '../state/entry-request.ts';
import type { KeyedContext } from '../state/keyed-context.ts';

/** `timestamp` is NO_TIMESTAMP where the record has none. */
export interface Output {
  emit(value: unknown, timestamp: number): void;
}

/** Operator state that is not keyed. `items` is the live content; the runtime stores it with every commit in which `changed` was called. */
export interface OperatorStateHandle {
  items: unknown[];
  changed(): void;
}

export interface OperatorContext {
  readonly uid: OperatorUid;
  readonly subtask: number;
  readonly parallelism: number;
  /** '' = main output; a side output nobody reads discards. */
  output(tag: string): Output;
  /** @throws where the operator is not the head of a keyed vertex */
  keyed(): KeyedContext;
  /** List and union state: one element per item. Broadcast: `[key, value]` pairs. Accumulator: one item. Called in `open` only. */
  operatorState(name: string, kind: 'operator-list' | 'operator-union' | 'broadcast' | 'accumulator'): OperatorStateHandle;
  /** Event time as the operator's inputs have it. */
  currentWatermark(): number;
  /** For sinks with a committer: hands a record to the part that is being collected. */
  sink(): { write(value: unknown): void };
}

export interface StreamOperator {
  open(context: OperatorContext): void;
  /** `input` is 0, or 1 for the second input of a connected operator. */
  process(input: number, value: unknown, timestamp: number): void;
  /** The entries that an element will read of maps that are loaded by entry. Asked for a whole batch before its first element, so state is not at hand. */
  entriesOf?(input: number, value: unknown, key: unknown): EntryRequest | undefined;
  entriesOfTimer?(domain: TimerDomain, timestamp: number, key: unknown): EntryRequest | undefined;
  /** All timers at or below it have fired. The runtime forwards the watermark itself. */
  watermark?(timestamp: number): void;
  onTimer?(domain: TimerDomain, timestamp: number, namespace: string): void;
  /** The input brings no more records; with drain and bounded inputs, once. */
  endOfInput?(input: number): void;
  /** Last call before the snapshot of a shard that ends. */
  finish?(): void;
  /** Writes into operator state what lives in fields. Called before every commit. */
  prepareCommit?(): void;
}

export type KeySelector = (value: unknown) => unknown;

/** Event time and watermarks of a source, per split. */
export interface WatermarkStrategy {
  readonly kind: 'none' | 'monotonous' | 'bounded-out-of-orderness';
  readonly outOfOrdernessMs: number;
  /** A split that brought nothing for so long is idle; 0 = never. */
  readonly idleMs: number;
  /** A record whose event time is further ahead of the clock is a wrong one; null = none is. */
  readonly aheadMaxMs: number | null;
  readonly timestampOf?: (value: unknown) => number;
}

export interface OperatorDefinition {
  readonly uid: OperatorUid;
  readonly name: string;
  readonly kind: string;
  readonly states: readonly StateDeclaration[];
  readonly connector?: ConnectorSpec;
  /** Sources have a strategy instead of an operator: the runtime drives them. */
  readonly source?: { readonly watermarks: WatermarkStrategy; readonly decode?: (value: unknown) => unknown };
  readonly create?: () => StreamOperator;
  /** Key selector per input, for the head of a keyed vertex; also used by the senders of its hash edges. */
  readonly keySelectors?: readonly (KeySelector | undefined)[];
}

/** User code by operator uid: built from the same StreamGraph as the plan. */
export type OperatorRegistry = ReadonlyMap<OperatorUid, OperatorDefinition>;
