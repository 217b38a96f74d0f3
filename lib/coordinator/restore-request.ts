/** What a restore is asked to do, as its operation record keeps it. */
import type { Attempt, CheckpointId } from '../base/ids.ts';
import type { JobRecord } from '../model/job-record.ts';

/** The plan to go on with: an object that exists. */
export interface RestorePlan {
  readonly plan: string;
  readonly planHash: string;
  readonly allowNonRestoredState: boolean;
  readonly allowOtherJob: boolean;
}

export interface CheckpointRequest extends RestorePlan {
  readonly from: 'checkpoint';
  readonly checkpoint: CheckpointId | 'newest';
  /** Of a chosen one: what was published when the person looked; null = whatever. */
  readonly publishedSeen: CheckpointId | null;
  /** The attempt that is given up. */
  readonly attempt: Attempt;
}

export interface SavepointRequest extends RestorePlan {
  readonly from: 'savepoint';
  readonly location: string;
  readonly name: string;
}

export type RestoreRequest = CheckpointRequest | SavepointRequest;

/** Recovery: the same plan, the newest checkpoint. */
export function newestOf({ plan, planHash, attempt }: JobRecord): CheckpointRequest {
  return {
    from: 'checkpoint',
    checkpoint: 'newest',
    publishedSeen: null,
    attempt,
    plan,
    planHash,
    allowNonRestoredState: false,
    allowOtherJob: true,
  };
}
