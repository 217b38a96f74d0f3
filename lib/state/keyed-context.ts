/**
 * What an operator sees of keyed state: everything is scoped to the current key and synchronous; the runtime has loaded what the current element
 * can touch before it calls the operator. Implemented by keyed-backend.ts, and by the harness in lib/testing.
 */
import type { TimerDomain } from '../model/state-row.ts';
import type { HandleOf, KeyedStateDescriptor } from './descriptors.ts';

/** One timer per (domain, timestamp, namespace) and key; registering it again changes nothing. Timestamps are milliseconds. */
export interface TimerService {
  register(domain: TimerDomain, timestamp: number, namespace?: string): void;
  remove(domain: TimerDomain, timestamp: number, namespace?: string): void;
}

/** Values of the current key by namespace: the state of windows. Namespaces are text in an order of the operator's choice. */
export interface NamespacedState<T> {
  get(namespace: string): T | undefined;
  set(namespace: string, value: T): void;
  remove(namespace: string): void;
  namespaces(): readonly string[];
}

export interface KeyedContext {
  readonly timers: TimerService;
  currentKey(): unknown;
  /** Event time up to which timers have fired for the current key's group: at or below it a record is late. MIN_WATERMARK at the start. */
  currentWatermark(): number;
  /** The record's notion of processing time in milliseconds: it only advances with the commit. */
  currentProcessingTime(): number;
  /** Called in `open` only; the name is unique in the operator. */
  state<D extends KeyedStateDescriptor>(name: string, descriptor: D): HandleOf<D>;
  namespacedState<T>(name: string): NamespacedState<T>;
}
