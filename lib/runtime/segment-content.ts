/** What a commit does beside its record, before and after it is bytes. */
import type { ChannelId, Epoch, OperatorUid } from '../base/ids.ts';
import type { CoordinatorMessage } from '../model/coordinator-message.ts';
import type { SegmentList } from '../model/shard-record.ts';

export interface OutgoingEnvelope {
  readonly queue: string;
  readonly group: string;
  readonly deduplicationId: string;
  readonly body: Uint8Array;
}

/** A message of the shard to itself: at once (`continue`), or through the delay at `dueAtMs` (`wake`, `flush`). */
export interface SelfMessage {
  readonly kind: 'continue' | 'wake' | 'flush';
  readonly number: number;
  readonly dueAtMs: number;
}

/** A part to stage: the sink's records in these segments, in order, and last those of the segment that holds the order. */
export interface StageOrder {
  readonly operator: OperatorUid;
  readonly checkpoint: Epoch;
  readonly number: number;
  readonly segments: SegmentList;
}

/** Records of one commit that wait for a full envelope of their channel. */
export interface LingeringRecords {
  readonly channel: ChannelId;
  /** The last number sent on the channel before them: they linger as long as it is the last. */
  readonly after: number;
  readonly records: number;
  readonly payload: Uint8Array;
}

export interface SegmentContent {
  readonly envelopes: readonly OutgoingEnvelope[];
  /** Encoded delta tables; null where no keyed state changed. */
  readonly state: Uint8Array | null;
  readonly sinks: ReadonlyMap<OperatorUid, readonly unknown[]>;
  readonly stage: readonly StageOrder[];
  readonly self: readonly SelfMessage[];
  /** In order; the acknowledgement is the last. */
  readonly coordinator: readonly CoordinatorMessage[];
  /** No effect: a cold start looks for it. */
  readonly lingering: readonly LingeringRecords[];
}

export function isEmptySegment(content: SegmentContent): boolean {
  return content.state === null && content.sinks.size === 0 && content.lingering.length === 0 && !hasEffects(content);
}

/** Whether anything must happen after the commit. */
export function hasEffects(content: SegmentContent): boolean {
  return content.envelopes.length + content.stage.length + content.self.length + content.coordinator.length > 0;
}
