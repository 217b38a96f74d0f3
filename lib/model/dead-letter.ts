/** What is stored of a record or timer whose processing failed, where its operator sets such ones aside. Plain data. */
import type { ChannelId, OperatorUid } from '../base/ids.ts';
import type { TimerDomain } from './state-row.ts';

/** Side output of an operator that sets records aside; the planner's own sink reads it. */
export const deadLetterOutput = 'sluice.dead-letters';
export const deadLetterConnector = 'dead-letters';

/** What an operator does with a record that its code fails at. */
export type ErrorPolicy = 'fail' | 'dead-letter';

/** Which element of a shard's input: the same in every try of its batch. */
export type ElementPlace =
  | { readonly kind: 'record'; readonly channel: ChannelId; readonly sequence: number; readonly index: number }
  | {
      readonly kind: 'timer';
      readonly domain: TimerDomain;
      readonly timestamp: number;
      readonly namespace: string;
      readonly key: string;
    }
  /** `position`: of the read that brought it; `index`: its place in what that brought. */
  | { readonly kind: 'source'; readonly split: string; readonly position: unknown; readonly index: number };

export interface DeadLetter {
  readonly operator: OperatorUid;
  readonly shard: number;
  readonly code: string;
  readonly message: string;
  readonly stack: string;
  readonly failedAtMs: number;
  readonly place: ElementPlace;
  /** Canonical JSON; null where there is none, or it is the key selector that failed. */
  readonly key: string | null;
  /** 1 for the second input of a connected operator. */
  readonly input: number;
  /** As it came; absent for a timer. */
  readonly record?: unknown;
  /** Event time; null = it has none. */
  readonly timestamp: number | null;
}
