/**
 * Manifest: everything that a completed checkpoint consists of. Written once (create-if-absent); real only when the job record names it.
 * State at checkpoint n = base + the deltas listed here, in order, never a range or a listing: an abandoned attempt's deltas lie in the same range.
 */
import type { Attempt, CheckpointId, JobId, OperatorUid } from '../base/ids.ts';
import type { Bill } from '../model/bill.ts';
import type { CheckpointKind } from '../model/job-record.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { ShardSnapshot } from '../model/shard-record.ts';

export interface Manifest {
  readonly format: 1;
  readonly job: JobId;
  readonly jobName: string;
  readonly attempt: Attempt;
  readonly checkpoint: CheckpointId;
  /** Where the base has its rows; absent = under the job's id. */
  readonly space?: string;
  readonly kind: CheckpointKind;
  /** Under exactly-once nothing was in flight at an aligned cut; under at-least-once positions say less. */
  readonly mode: 'exactly-once' | 'at-least-once';
  /** Its barriers might overtake: what was in flight is listed by the snapshots of its senders. Absent where they might not. */
  readonly unaligned?: true;
  readonly plan: JobPlan;
  readonly planHash: string;
  readonly shards: readonly ShardSnapshot[];
  readonly triggeredAtMs: number;
  readonly completedAtMs: number;
  /** Of the time since the last checkpoint: what its shards and its coordinator counted. */
  readonly bill?: Bill;
}

/** What every shard of an attempt starts from: an object named by the job record. */
export interface RestoreDescriptor {
  readonly format: 1;
  readonly job: JobId;
  readonly attempt: Attempt;
  readonly checkpoint: CheckpointId;
  /** The manifest's object key, in this job's own namespace (imports write one there). */
  readonly manifest: string;
  /** Operators of the snapshot that the new plan does not have, dropped by the user's word. */
  readonly dropped: readonly OperatorUid[];
}
