/**
 * Keyed state as rows: what deltas, base and savepoints hold. A row belongs to a key group; shards own ranges of key groups.
 * `namespace` is '' for value-like state, the window or map key for namespaced state, time and namespace for timers.
 */
import type { KeyGroup, OperatorUid } from '../base/ids.ts';
import { MIN_WATERMARK } from './time.ts';

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

/** 14 hex digits hold every distance from MIN_WATERMARK. */
export function sortableTime(timestamp: number): string {
  const high = Math.floor((timestamp - MIN_WATERMARK) / 2);
  const low = (timestamp - MIN_WATERMARK) % 2 === 0 ? '0' : '1';
  return high.toString(16).padStart(14, '0') + low;
}

const sortableTimeLength = 15;

export function parseTimerNamespace(text: string): { readonly timestamp: number; readonly namespace: string } {
  const high = Number.parseInt(text.slice(0, sortableTimeLength - 1), 16);
  const timestamp = high * 2 + MIN_WATERMARK + (text[sortableTimeLength - 1] === '1' ? 1 : 0);
  return { timestamp, namespace: text.slice(sortableTimeLength + 1) };
}
