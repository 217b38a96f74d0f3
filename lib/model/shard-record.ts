/**
 * Shard record: one item per subtask; its conditional put is the commit. Only the shard's own commit writes it.
 * Everything here is plain JSON; what could grow (stash, epoch's segments, deltas) is by reference.
 */
import type { Attempt, ChannelId, CheckpointId, Epoch, JobId, OperatorUid } from '../base/ids.ts';
import type { Bill } from './bill.ts';
import type { CheckpointMode, ControlKind } from './envelope.ts';
import type { KeyGroupRange } from './key-group-range.ts';

export interface ShardAddress {
  readonly job: JobId;
  readonly uid: OperatorUid;
  readonly shard: number;
}

/** What the shard knows of one input channel. */
export interface InputChannelState {
  /** Last accepted sequence number. */
  readonly sequence: number;
  readonly watermark: number;
  readonly idle: boolean;
  readonly ended: boolean;
  /** Highest barrier that came on the channel in this attempt (0 = none). */
  readonly barrier: CheckpointId;
}

/** How far event timers have fired for a range of key groups: at or below it a window is closed, also after a change of parallelism. */
export interface FiredRange {
  readonly keyGroups: KeyGroupRange;
  readonly firedUpTo: number;
}

/** One object of keyed-state changes of one epoch. */
export interface DeltaRef {
  readonly epoch: Epoch;
  readonly key: string;
  readonly rows: number;
  readonly bytes: number;
  readonly keyGroups: KeyGroupRange;
}

/** An envelope held back by alignment: it stands in the sender's segment. */
export interface StashedEnvelope {
  readonly channel: ChannelId;
  readonly sequence: number;
  readonly segment: string;
  readonly index: number;
  /** Records at its beginning that have been processed: of a barrier that ended an older alignment, or waits for it, only the barrier is left. */
  readonly processed: number;
}

export interface Alignment {
  readonly checkpoint: CheckpointId;
  /** The barrier's sequence number on each channel that has brought it: the cut's input positions. */
  readonly barriers: Readonly<Record<ChannelId, number>>;
  /** As its barriers say. */
  readonly mode?: CheckpointMode;
  readonly startedAtMs: number;
  /** Bodies of envelopes that were worked off since the first barrier; absent where none were. */
  readonly processedBytes?: number;
  /** From then on the shard need not wait for the other channels. Absent: it waits. */
  readonly overtakeAtMs?: number;
  /** At least once: channels on which a newer barrier waits in the stash for the end of this one. */
  readonly waiting?: readonly ChannelId[];
}

export interface SplitState {
  /** Connector's own position, plain data; null = from the beginning. */
  readonly position: unknown;
  readonly ended: boolean;
  /** Watermark generator: highest timestamp seen. */
  readonly maxTimestamp: number;
  /** Processing time when it last brought records, for idleness. */
  readonly activeAtMs: number;
  readonly records: number;
}

/** Small state of operators that is not keyed, by state name. */
export interface OperatorStateValue {
  readonly kind: 'operator-list' | 'operator-union' | 'broadcast' | 'accumulator';
  /** Each item as text of value-json. List kinds: the elements. Broadcast: entries `[key, value]`. Accumulator: one value per old shard. */
  readonly items: readonly string[];
}
export type OperatorStates = Readonly<Record<OperatorUid, Readonly<Record<string, OperatorStateValue>>>>;

/** A file or batch that a two-phase sink has staged; it becomes visible when its checkpoint completes. */
export interface SinkPart {
  readonly operator: OperatorUid;
  readonly shard: number;
  readonly checkpoint: CheckpointId;
  readonly number: number;
  /** Where it is staged and under which name it is published, in the connector's own terms. */
  readonly staged: string;
  readonly target: string;
  readonly records: number;
  readonly bytes: number;
}

/** Segments of one epoch, oldest first: the newest by name, the older ones in index objects (`SegmentIndex`), newest index first. */
export interface SegmentList {
  readonly recent: readonly string[];
  readonly chained: string | null;
}

/** Content of an index object, as JSON: what the index before leads to, then the segments, then those of another list. */
export interface SegmentIndex {
  readonly previous: string | null;
  readonly segments: readonly string[];
  /** Of a newer epoch that was merged with an older one. */
  readonly then?: SegmentList;
}

export interface EpochSegments extends SegmentList {
  /** Of several, the newest. */
  readonly epoch: Epoch;
  /** Positions of the output channels before its first envelope; absent where nobody asked: behind a checkpoint that overtakes nothing. */
  readonly after?: Readonly<Record<ChannelId, number>>;
}

/** How far a shard has replayed what was in flight at the checkpoint it was restored from: segments done, envelopes found in them. */
export interface InFlightProgress {
  readonly segments: number;
  readonly envelopes: number;
  /** Of the next segment, where a dead letter has closed a commit in it: envelopes done, and of the next one its own records done. */
  readonly within?: { readonly envelopes: number; readonly records: number };
}

/** An edge on which something lingers: its records stand in this epoch's segments, a watermark in `watermark`. */
export interface LingeringEdge {
  readonly edge: number;
  /** Processing time. */
  readonly dueAtMs: number;
  /** How many a cold start must find. */
  readonly records: number;
}

/** Records that are tried with care (runtime/careful.ts): whoever finds them here knows that nobody has come back. */
export interface Suspects {
  readonly channel: ChannelId;
  readonly sequence: number;
  /** Of the first one, in its envelope, and how many. */
  readonly index: number;
  readonly records: number;
  /** How often a single one was tried. */
  readonly tries: number;
}

export type ShardStatus =
  | 'running'
  /** All inputs have ended and end of input has been forwarded. */
  | 'ended'
  /** Ended, and a completed snapshot says so; or stopped by a stop order. */
  | 'finished';

/** Of a source that is told of its input, and rests in between. */
export interface PushProgress {
  /** Number of the message to itself that reads next; null: it rests until something arrives. */
  readonly loop: number | null;
  /** By split, the highest entry of its log that it has been told of in this attempt. */
  readonly arrived: Readonly<Record<string, number>>;
}

export interface ShardRecord extends ShardAddress {
  /** Rises by one with every commit, over all attempts. */
  readonly version: number;
  readonly attempt: Attempt;
  /** The try that committed this version: by it a lost answer to our own commit is recognised. */
  readonly tryId: string;
  /** First fresh message of the invocation that committed (message mark); whoever holds it resends. */
  readonly witness: string | null;
  readonly status: ShardStatus;
  /** The epoch being filled: one above the last checkpoint that the shard took part in. */
  readonly epoch: Epoch;
  /** Highest checkpoint that is over for this shard: snapshotted, declined or aborted. Its late barriers are ignored. */
  readonly settled: CheckpointId;
  readonly processingTimeMs: number;
  readonly inputs: Readonly<Record<ChannelId, InputChannelState>>;
  /** Last sequence number sent per output channel, and the watermark sent with it. */
  readonly outputs: Readonly<
    Record<ChannelId, { readonly sequence: number; readonly watermark: number; readonly idle: boolean; readonly ended: boolean }>
  >;
  /** Absent where nothing does. */
  readonly lingering?: readonly LingeringEdge[];
  readonly control: Readonly<Partial<Record<ControlKind, number>>>;
  /** Last number given to a message to itself. */
  readonly selfNumber: number;
  /** Of push sources only. */
  readonly push?: PushProgress;
  readonly watermark: number;
  /** From the restore, until the watermark has passed them. */
  readonly fired: readonly FiredRange[];
  readonly splits: Readonly<Record<string, SplitState>> | null;
  readonly operatorStates: OperatorStates;
  readonly nextTimer: { readonly event: number | null; readonly processing: number | null };
  readonly alignment: Alignment | null;
  /** Held back or still to be replayed, in order; `replaying` = the alignment is over and these are unfinished work. */
  readonly stash: { readonly replaying: boolean; readonly envelopes: readonly StashedEnvelope[] };
  /** In-flight data of the restored checkpoint that is still to be replayed; absent where there is none left. */
  readonly replay?: InFlightProgress;
  /** Segments of this epoch and of those above the floor: receivers may still need their envelopes, a cold start this epoch's state changes. */
  readonly segments: readonly EpochSegments[];
  /** Absent where nothing is suspected. */
  readonly suspects?: Suspects;
  /** The last commit's outputs, for the resend rule; null where it had none. */
  readonly lastSegment: string | null;
  /** State = base + these, in order. */
  readonly deltas: readonly DeltaRef[];
  readonly baseEpoch: Epoch;
  readonly pendingParts: readonly SinkPart[];
  /** Records that this epoch's segments hold for sinks with a committer, by sink. */
  readonly sinkRecords: Readonly<Record<OperatorUid, number>>;
  /** Whether the coordinator has been told that this epoch has changes. */
  readonly dirty: boolean;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** Counted by the processes that made its commits, since its last snapshot; absent where nothing is billed. */
  readonly counted?: Bill;
}

/** A shard's part of a checkpoint, carried by its acknowledgement. */
export interface ShardSnapshot extends ShardAddress {
  readonly attempt: Attempt;
  readonly checkpoint: CheckpointId;
  /** Of the shard record that this snapshot was committed with: segments up to it lie before the cut. */
  readonly version: number;
  readonly inputs: Readonly<Record<ChannelId, number>>;
  /** Of the envelope behind the input position: so many of its records are processed. Absent where none are. */
  readonly begun?: Readonly<Record<ChannelId, number>>;
  readonly outputs: Readonly<Record<ChannelId, number>>;
  readonly splits: Readonly<Record<string, SplitState>> | null;
  readonly operatorStates: OperatorStates;
  readonly deltas: readonly DeltaRef[];
  readonly fired: readonly FiredRange[];
  readonly nextTimer: { readonly event: number | null; readonly processing: number | null };
  readonly parts: readonly SinkPart[];
  readonly finished: boolean;
  /** Segments that hold this epoch's envelopes. */
  readonly segments: SegmentList;
  /** Of a checkpoint that may overtake: the segments, oldest first, with every envelope that a receiver may not have taken yet. */
  readonly inFlight?: readonly EpochSegments[];
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly stats: SnapshotStats;
  /** Counted since its last snapshot: by whoever committed for it, and by this process; absent where nothing is billed. */
  readonly bill?: Bill;
}

/** Times in milliseconds, sizes in bytes. */
export interface SnapshotStats {
  /** New in this checkpoint. */
  readonly deltaBytes: number;
  /** All deltas listed. */
  readonly stateBytes: number;
  readonly alignmentMs: number;
  readonly snapshotMs: number;
  readonly takenAtMs: number;
  /** Worked off between the first barrier and the snapshot. */
  readonly processedBytes?: number;
  /** The barrier overtook what was in flight to this shard. */
  readonly unaligned?: true;
}
