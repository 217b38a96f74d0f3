/**
 * Keyed state as rows: what deltas, base and savepoints hold. A row belongs to a key group; shards own ranges of key groups.
 * `namespace` is '' for value-like state, the window or map key for namespaced state, time and namespace for timers.
 */
import type { KeyGroup, OperatorUid } from '../base/ids.ts';

export interface StateAddress {
  readonly operator: OperatorUid;
  readonly state: string;
  readonly keyGroup: KeyGroup;
  /** Canonical JSON of the key. */
  readonly key: string;
  readonly namespace: string;
}

/** `deleted` rows carry no value. */
export interface StateRow extends StateAddress {
  readonly value: unknown;
  readonly deleted: boolean;
}

/** The states in which timers are kept; user state names cannot begin with `#`. */
export const timerStates = { event: '#event-timers', processing: '#processing-timers' } as const;
export type TimerDomain = keyof typeof timerStates;

/** Time first, in an order that text comparison keeps, so that a store can range over due timers. */
export function timerNamespace(timestamp: number, namespace: string): string {
  return `${sortableTime(timestamp)}|${namespace}`;
}

/** Sign, then 14 hex digits, negative times as their distance from -2^53. Never a difference of two times: that may need 54 bits, and rounds. */
export function sortableTime(timestamp: number): string {
  return timestamp >= 0 ? `1${hex(timestamp)}` : `0${hex(timestamp + 2 ** 53)}`;
}

function hex(digits: number): string {
  return digits.toString(16).padStart(sortableTimeLength - 1, '0');
}

const sortableTimeLength = 15;

export function parseTimerNamespace(text: string): { readonly timestamp: number; readonly namespace: string } {
  const digits = Number.parseInt(text.slice(1, sortableTimeLength), 16);
  const timestamp = text[0] === '1' ? digits : digits - 2 ** 53;
  return { timestamp, namespace: text.slice(sortableTimeLength + 1) };
}
