import type { Attempt, CheckpointId, JobId, OperatorUid } from '../base/ids.ts';
import type { Bill } from '../model/bill.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { ShardAddress, ShardRecord, ShardSnapshot } from '../model/shard-record.ts';

/** Reads are strongly consistent, writes are linearizable compare-and-set. */
export interface JobRecordStore {
  read(job: JobId): Promise<JobRecord | undefined>;
  list(): Promise<readonly JobRecord[]>;
  create(record: JobRecord): Promise<'stored' | 'conflict'>;
  /** Stores `record` if the stored version is `expectedVersion`; the new record's version is one above it. */
  replace(record: JobRecord, expectedVersion: number): Promise<'stored' | 'conflict'>;
}

export type CommitOutcome =
  { readonly outcome: 'committed' } | { readonly outcome: 'conflict'; readonly existing: ShardRecord | undefined };

/** Strongly consistent reads, linearizable conditional puts that hand back the existing item when the condition fails. */
export interface ShardRecordStore {
  read(address: ShardAddress): Promise<ShardRecord | undefined>;
  /** Put if nothing is stored (`expectedVersion` 0), or if version and attempt of what is stored are as given. */
  commit(record: ShardRecord, expected: { readonly version: number; readonly attempt: Attempt }): Promise<CommitOutcome>;
}

/** Acknowledgements of pending checkpoints: a set, not a counter. Reads are strongly consistent. */
export interface AcknowledgementStore {
  /** Idempotent: the first acknowledgement of a shard stays. */
  put(snapshot: ShardSnapshot): Promise<'accepted' | 'duplicate'>;
  list(job: JobId, attempt: Attempt, checkpoint: CheckpointId): Promise<readonly ShardSnapshot[]>;
  /** Who has acknowledged, without the snapshots. */
  present(
    job: JobId,
    attempt: Attempt,
    checkpoint: CheckpointId,
  ): Promise<readonly { readonly uid: OperatorUid; readonly shard: number }[]>;
  remove(job: JobId, attempt: Attempt, checkpoint: CheckpointId): Promise<void>;
}

/** Durable trigger records of the HTTP API: savepoints, stops, restores. Keyed by job and trigger id. */
export interface OperationRecord {
  readonly job: JobId;
  readonly trigger: string;
  readonly kind: string;
  readonly status: 'IN_PROGRESS' | 'COMPLETED';
  readonly request: Readonly<Record<string, unknown>>;
  readonly progress: Readonly<Record<string, unknown>>;
  readonly location: string | null;
  readonly failure: { readonly code: string; readonly message: string; readonly hint: string } | null;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
  /** Counted by whoever worked for it; absent where nothing is billed. */
  readonly bill?: Bill;
  /** How often it was changed; absent = never. */
  readonly version?: number;
}

export interface OperationStore {
  /** `exists` hands back what is stored: a repeated trigger id starts nothing. */
  create(
    record: OperationRecord,
  ): Promise<{ readonly outcome: 'created' } | { readonly outcome: 'exists'; readonly record: OperationRecord }>;
  read(job: JobId, trigger: string): Promise<OperationRecord | undefined>;
  /** Stores `record` if the stored version is `expectedVersion`; the new record's version is one above it. */
  replace(record: OperationRecord, expectedVersion: number): Promise<'stored' | 'conflict'>;
  list(job: JobId): Promise<readonly OperationRecord[]>;
}
