/** What a restore is asked to do, as its operation record keeps it. */
import type { Attempt, CheckpointId } from '../base/ids.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import type { JobRecord } from '../model/job-record.ts';

/** The plan to go on with: an object that exists. */
export interface RestorePlan {
  readonly plan: string;
  readonly planHash: string;
  /** No other plan was asked for: the job keeps its own, with the settings that it has when it is switched. */
  readonly keepsPlan?: true;
  readonly allowNonRestoredState: boolean;
  readonly allowOtherJob: boolean;
}

export interface CheckpointRequest extends RestorePlan {
  readonly from: 'checkpoint';
  /** `whole` for recovery: the newest one that nothing is missing of. */
  readonly checkpoint: CheckpointId | 'newest' | 'whole';
  /** Of a chosen one: what was published when the person looked; null = whatever. */
  readonly publishedSeen: CheckpointId | null;
  /** The attempt that is given up. */
  readonly attempt: Attempt;
  /** Of a recovery: */
  readonly recovery?: Recovery;
  /** Of a deployment: how long the checkpoint stays held for its rollback. */
  readonly holdMs?: number;
}

export interface Recovery {
  /** What a shard could not do, and the job fails with where no checkpoint helps; null: too many checkpoints failed. */
  readonly cause: JobFailure | null;
  /** Recoveries because of a missing object since a checkpoint was last completed, with this one. */
  readonly inARow: number;
}

export interface SavepointRequest extends RestorePlan {
  readonly from: 'savepoint';
  readonly location: string;
  readonly name: string;
  /** Of the job that goes back to it: the attempt that is given up. Absent: a new job begins with it. */
  readonly attempt?: Attempt;
  /** As for a checkpoint. */
  readonly publishedSeen?: CheckpointId | null;
}

export type RestoreRequest = CheckpointRequest | SavepointRequest;

/** The same plan, the newest checkpoint. */
export function newestOf({ plan, planHash, attempt }: JobRecord): CheckpointRequest & { readonly keepsPlan: true } {
  return {
    from: 'checkpoint',
    checkpoint: 'newest',
    publishedSeen: null,
    attempt,
    plan,
    planHash,
    keepsPlan: true,
    allowNonRestoredState: false,
    allowOtherJob: true,
  };
}
