/**
 * Every change of the local store as data. A store checks, then makes a mutation, then applies it; the journal of the file adapter writes the same
 * mutation down and applies it again at the next start. So what is replayed cannot differ from what happened.
 *
 * M1. State is the fold of `apply` over mutations. What is in no mutation (who holds a message, who waits) does not survive a restart.
 * M2. A mutation's values are never changed afterwards: they are the state itself, shared with callers by reference.
 */
import type { Attempt, CheckpointId, JobId } from '../../base/ids.ts';
import type { JobRecord } from '../../model/job-record.ts';
import type { ShardRecord, ShardSnapshot } from '../../model/shard-record.ts';
import type { StateAddress } from '../../model/state-row.ts';
import type { FlowExecution } from '../../ports/flow-store.ts';
import type { HistoryEntry } from '../../ports/job-history.ts';
import type { OperationRecord } from '../../ports/records.ts';

export interface StoredMessage {
  /** Rises over all queues of a store and is never given twice. */
  readonly id: number;
  readonly group: string;
  readonly deduplicationId: string;
  readonly body: Uint8Array;
  readonly sentAtMs: number;
}

export interface RememberedMessage {
  readonly group: string;
  readonly deduplicationId: string;
  readonly sentAtMs: number;
}

export interface StoredWakeUp {
  readonly id: number;
  readonly queue: string;
  readonly group: string;
  readonly deduplicationId: string;
  readonly body: Uint8Array;
  readonly dueAtMs: number;
}

/** A row of the base as it is written down: text of value-json, undefined = delete. */
export interface WrittenRow extends StateAddress {
  readonly value: string | undefined;
}

export type Mutation =
  | { readonly kind: 'queue-send'; readonly queue: string; readonly messages: readonly StoredMessage[] }
  | { readonly kind: 'queue-delete'; readonly queue: string; readonly ids: readonly number[] }
  /** Only in snapshots: what deduplication remembers of deleted messages, and the highest id ever given. */
  | { readonly kind: 'queue-memory'; readonly queue: string; readonly highestId: number; readonly remembered: readonly RememberedMessage[] }
  | { readonly kind: 'job-put'; readonly record: JobRecord }
  | { readonly kind: 'shard-put'; readonly record: ShardRecord }
  | { readonly kind: 'acknowledgement-put'; readonly snapshot: ShardSnapshot }
  | { readonly kind: 'acknowledgements-remove'; readonly job: JobId; readonly attempt: Attempt; readonly checkpoint: CheckpointId }
  | { readonly kind: 'operation-put'; readonly record: OperationRecord }
  | { readonly kind: 'object-put'; readonly key: string; readonly createdAtMs: number; readonly bytes: Uint8Array }
  /** The object's bytes are a file, which was synced before this mutation was appended. */
  | {
      readonly kind: 'object-file';
      readonly key: string;
      readonly createdAtMs: number;
      readonly file: string;
      readonly size: number;
      readonly crc32: number;
    }
  | { readonly kind: 'objects-remove'; readonly keys: readonly string[] }
  | {
      readonly kind: 'base-write';
      readonly space: string;
      readonly version: number;
      readonly atMs: number;
      readonly rows: readonly WrittenRow[];
    }
  | { readonly kind: 'base-purge'; readonly space: string; readonly olderThanMs: number }
  | { readonly kind: 'base-drop'; readonly space: string }
  | { readonly kind: 'flow-put'; readonly execution: FlowExecution }
  | { readonly kind: 'history-put'; readonly job: JobId; readonly entry: HistoryEntry }
  | { readonly kind: 'delay-put'; readonly wakeUp: StoredWakeUp }
  | { readonly kind: 'delay-remove'; readonly id: number };

export type MutationOf<Kind extends Mutation['kind']> = Extract<Mutation, { readonly kind: Kind }>;
