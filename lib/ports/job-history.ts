/**
 * What has happened to a job, for people: checkpoints, restores, changes of status. Nothing of the protocol hangs on it: an entry may be missing after a
 * crash, and the newest ones of each kind are kept (limits.historyEntriesMax), the older ones are not.
 */
import type { Attempt, CheckpointId, JobId, OperatorUid } from '../base/ids.ts';
import type { Bill } from '../model/bill.ts';
import type { CheckpointKind, JobStatus } from '../model/job-record.ts';

/** One vertex's part of a checkpoint. Times in milliseconds, sizes in bytes. */
export interface VertexCheckpoint {
  readonly uid: OperatorUid;
  readonly shards: number;
  readonly acknowledged: number;
  /** -1 = nobody has acknowledged. */
  readonly lastAcknowledgedAtMs: number;
  readonly deltaBytes: number;
  readonly stateBytes: number;
  /** Worked off while they aligned; absent where nothing was. */
  readonly processedBytes?: number;
  /** Longest alignment and longest snapshot of its shards. */
  readonly alignmentMs: number;
  readonly snapshotMs: number;
  /** A barrier overtook what was in flight to it. */
  readonly unaligned?: true;
}

export interface CheckpointEntry {
  readonly kind: 'checkpoint';
  readonly id: CheckpointId;
  readonly attempt: Attempt;
  readonly checkpointKind: CheckpointKind;
  readonly triggeredAtMs: number;
  readonly endedAtMs: number;
  readonly vertices: readonly VertexCheckpoint[];
  /** Where a completed one can be restored from: the key of its manifest. */
  readonly location: string | null;
  /** null = completed. */
  readonly failure: { readonly reason: string; readonly message: string } | null;
  /** All that the job's sources have read up to it; of a completed one. */
  readonly records?: number;
  /** Of the time since the checkpoint before it; absent where nothing was billed. */
  readonly bill?: Bill;
}

export interface RestoreEntry {
  readonly kind: 'restore';
  /** The attempt that the restore began. */
  readonly id: Attempt;
  readonly checkpoint: CheckpointId;
  readonly checkpointKind: CheckpointKind;
  readonly atMs: number;
}

interface StatusEntry {
  readonly kind: 'status';
  /** Version of the job record that brought it: rises. */
  readonly id: number;
  readonly status: JobStatus;
  readonly atMs: number;
}

export type HistoryEntry = CheckpointEntry | RestoreEntry | StatusEntry;

export interface JobHistory {
  /** Idempotent by job, kind and id. */
  append(job: JobId, entry: HistoryEntry): Promise<void>;
  /** Per kind in the order in which they were first appended. */
  read(job: JobId): Promise<readonly HistoryEntry[]>;
}
