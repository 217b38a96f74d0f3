import type { CheckpointId } from '../base/ids.ts';
import type { JobRecord, PendingCheckpoint } from '../model/job-record.ts';
import type { Bill } from '../model/bill.ts';
import type { OperationRecord } from '../ports/records.ts';
import type { CheckpointEntry, RestoreEntry, VertexCheckpoint } from '../ports/job-history.ts';

export interface PendingCheckpointDetails extends PendingCheckpoint {
  readonly vertices: readonly VertexCheckpoint[];
}

export interface CheckpointsOfJob {
  /** Over the whole life of the job. */
  readonly counts: JobRecord['counts'];
  readonly pending: readonly PendingCheckpointDetails[];
  /** Newest first, as far back as the history goes. */
  readonly ended: readonly CheckpointEntry[];
  /** Completed ones that have been retired since. */
  readonly discarded: ReadonlySet<CheckpointId>;
  readonly lastRestore: RestoreEntry | null;
  /** Savepoints, restores and the like that carry a bill of their own. */
  readonly billed: readonly BilledOperation[];
}

export type BilledOperation = Pick<OperationRecord, 'trigger' | 'kind' | 'changedAtMs'> & { readonly bill: Bill };
