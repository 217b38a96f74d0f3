/**
 * Envelope: one queue message of one channel, a packed, ordered batch of stream elements.
 *
 * E1. `sequence` counts 1, 2, 3 … per channel and attempt, without gaps.
 * E2. An envelope never spans epochs: a barrier is its last event, after all its records.
 */
import type { Attempt, ChannelId, CheckpointId, Epoch, JobId } from '../base/ids.ts';

/**
 * What shards do with what follows the barrier on its channel: `exactly-once` holds it back until the barrier has come on all. It is the checkpoint's own,
 * so that no checkpoint is half of each while the job's setting changes. Where it is not written it is `exactly-once`.
 */
export type CheckpointMode = 'exactly-once' | 'at-least-once';

/** What goes with a checkpoint's number, from its order on and from shard to shard. */
export interface BarrierOptions {
  readonly mode?: CheckpointMode;
  /** From then on it overtakes what is in flight (an unaligned checkpoint). Absent: it never does. */
  readonly overtakeAtMs?: number;
}

export type StreamEvent =
  | { readonly kind: 'watermark'; readonly timestamp: number }
  /** The channel brings nothing for a while: do not wait for its watermark. Ends with the channel's next record or watermark. */
  | { readonly kind: 'idle' }
  | ({ readonly kind: 'barrier'; readonly checkpoint: CheckpointId } & BarrierOptions)
  | { readonly kind: 'end-of-input' };

/** `at` = how many of the envelope's records come before the event. */
export interface PlacedEvent {
  readonly at: number;
  readonly event: StreamEvent;
}

export interface EnvelopeHeader {
  readonly job: JobId;
  readonly attempt: Attempt;
  readonly channel: ChannelId;
  readonly sequence: number;
  /** The sender's epoch: receivers of unaligned checkpoints snapshot before the first envelope of a newer one (colouring). */
  readonly epoch: Epoch;
  /** Where the envelope stands for good: the sender's segment and its index there. Stashes and manifests refer to it. */
  readonly segment: string;
  readonly index: number;
  readonly records: number;
  readonly events: readonly PlacedEvent[];
}

export interface Envelope {
  readonly header: EnvelopeHeader;
  readonly values: readonly unknown[];
  /** Milliseconds, NO_TIMESTAMP where a record has none; as long as `values`. */
  readonly timestamps: readonly number[];
}

/**
 * Control messages are numbered per kind and attempt; a number is accepted once and only upwards, gaps are legal.
 * - `order`: the coordinator tells a source shard to start a checkpoint (or to stop).
 * - `kick`: first message of an attempt; makes a shard initialise itself.
 * - `continue`: a source shard to itself, at once. - `wake`: a shard to itself, at a due time. - `flush`: the same, for what lingers; numbered apart,
 *   because it comes so often that it would make other wake-ups look late. - `arrived`: an intake tells a push source that entry `number` of its split is in
 *   the log; numbered apart per split, because the number is the log's.
 */
export type ControlKind = 'order' | 'kick' | 'continue' | 'wake' | 'flush' | 'arrived';

export interface BarrierOrder extends BarrierOptions {
  readonly checkpoint: CheckpointId;
  /** Sources end after the barrier: `drain` sends MAX watermark and end of input before it, `suspend` neither. */
  readonly stop?: 'drain' | 'suspend';
}

export interface ControlMessage {
  readonly kind: ControlKind;
  readonly job: JobId;
  readonly attempt: Attempt;
  readonly number: number;
  readonly order?: BarrierOrder;
  /** Of `arrived`. */
  readonly split?: string;
}

/** What a queue carries, without a data message's records. */
export type Message =
  | { readonly kind: 'data'; readonly header: EnvelopeHeader; readonly claimed: boolean }
  | { readonly kind: 'control'; readonly control: ControlMessage };
