/**
 * `_metadata.json` of a savepoint (docs/formats/savepoint.md): what it is of, what it holds, and a checksum of everything, itself included.
 *
 * SM1. It is written last and only once: a folder without it is no savepoint.
 * SM2. Paths are relative to its folder and stay inside it: a savepoint may be copied or moved as a whole.
 * SM3. Equal content has equal bytes, and only those bytes are accepted.
 */
import type { ChannelId, CheckpointId, JobId, OperatorUid } from '../base/ids.ts';
import type { Bill } from '../model/bill.ts';
import type { CheckpointKind } from '../model/job-record.ts';
import type { JobPlan, StateDeclaration } from '../model/job-plan.ts';
import type { KeyGroupRange } from '../model/key-group-range.ts';
import type { ShardSnapshot, SinkPart } from '../model/shard-record.ts';

export interface KeyedFile {
  readonly path: string;
  readonly codec: string;
  readonly operator: OperatorUid;
  readonly keyGroups: KeyGroupRange;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  /** Rows by state. */
  readonly states: Readonly<Record<string, number>>;
}

export interface PartFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly part: SinkPart;
}

/** Records that one shard had sent and its receivers had not taken. */
export interface InFlightFile {
  readonly path: string;
  readonly codec: string;
  readonly from: OperatorUid;
  readonly shard: number;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  /** Records by channel. */
  readonly channels: Readonly<Record<ChannelId, number>>;
}

export interface OperatorSummary {
  readonly uid: OperatorUid;
  readonly name: string;
  readonly kind: string;
  readonly vertex: OperatorUid;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly states: readonly StateDeclaration[];
  readonly rows: number;
  readonly bytes: number;
}

/** What a shard had that is not keyed. */
export type ShardState = Pick<
  ShardSnapshot,
  'uid' | 'shard' | 'finished' | 'fired' | 'nextTimer' | 'splits' | 'operatorStates' | 'recordsIn' | 'recordsOut'
>;

export interface SavepointMetadata {
  readonly format: 1;
  readonly what: 'sluice-savepoint';
  readonly kind: CheckpointKind;
  readonly job: { readonly id: JobId; readonly name: string };
  readonly checkpoint: CheckpointId;
  readonly takenAtMs: number;
  readonly planHash: string;
  readonly plan: JobPlan;
  readonly operators: readonly OperatorSummary[];
  readonly shards: readonly ShardState[];
  readonly files: readonly KeyedFile[];
  readonly parts: readonly PartFile[];
  /** Absent where nothing was in flight. */
  readonly inFlight?: readonly InFlightFile[];
  /** Of its checkpoint, not of the export; absent where nothing was billed. */
  readonly bill?: Bill;
}
