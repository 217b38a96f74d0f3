/** Job record: one item per job, under 1 KB; every protocol decision over a whole job is one conditional write of it. */
import type { Attempt, CheckpointId, Epoch, JobId, OperatorUid } from '../base/ids.ts';
import type { CheckpointMode } from './envelope.ts';

/** Flink's names. */
export type JobStatus =
  | 'INITIALIZING'
  | 'CREATED'
  | 'RUNNING'
  | 'FAILING'
  | 'FAILED'
  | 'CANCELLING'
  | 'CANCELED'
  | 'FINISHED'
  | 'RESTARTING'
  | 'SUSPENDED'
  | 'RECONCILING';

export type CheckpointKind = 'checkpoint' | 'savepoint' | 'stop-savepoint';

export interface PendingCheckpoint {
  readonly id: CheckpointId;
  readonly kind: CheckpointKind;
  /** As the settings were when it got its number. */
  readonly mode?: CheckpointMode;
  /** For a stop: what sources do after the barrier. */
  readonly stop?: 'drain' | 'suspend';
  /** The job is canceled when this savepoint is whole: nothing is committed after it. */
  readonly thenCancel?: true;
  /** The order to every shard: from then on its barriers overtake what is in flight. Absent: they never do. */
  readonly overtakeAtMs?: number;
  /** The flow that waits for it, and its task token once it is stored. */
  readonly flow: string;
  readonly token: string | null;
  readonly triggeredAtMs: number;
  readonly deadlineMs: number;
}

export interface RetainedCheckpoint {
  readonly id: CheckpointId;
  readonly kind: CheckpointKind;
  readonly manifest: string;
}

/** A named hold on a checkpoint: base and collector must not pass it. */
export interface Pin {
  readonly checkpoint: CheckpointId;
  readonly kind: CheckpointKind;
  readonly flow: string;
  readonly manifest: string;
  readonly thenCancel?: true;
  /** Held until then, though no flow works for it: a deployment may still be rolled back. */
  readonly untilMs?: number;
}

/** Of the restart strategy: what it has counted so far. */
export interface RestartState {
  readonly attempts: number;
  /** Of an exponential delay, without its jitter; 0 = none yet. */
  readonly backoffMs: number;
  /** Failures that began an attempt, newest last: one, or those of a failure rate's interval. */
  readonly failuresAtMs: readonly number[];
  /** When the last one's pause is over, at the earliest. */
  readonly retryAtMs: number;
}

/** Where rows of keyed state are, in the base, that the job has left behind by a restore. */
export interface LeftSpace {
  readonly space: string;
  readonly leftAtMs: number;
}

export interface JobRecord {
  readonly job: JobId;
  readonly name: string;
  readonly version: number;
  readonly status: JobStatus;
  readonly attempt: Attempt;
  /** Hash of JobPlan and code; functions of another hash leave messages where they are. */
  readonly planHash: string;
  /** Object that holds the plan of this attempt. */
  readonly plan: string;
  /** Object that tells every shard of this attempt what to start from; null = from nothing. */
  readonly descriptor: string | null;
  /** Shards of this attempt begin in this epoch: it is above every number given before the attempt. */
  readonly firstEpoch: Epoch;
  /** Highest checkpoint number ever given. */
  readonly numbered: CheckpointId;
  readonly dirtyEpoch: Epoch;
  /** Last completed checkpoint that sinks commit, and the one whose parts are all published. */
  readonly completed: CheckpointId;
  readonly published: CheckpointId;
  readonly pending: readonly PendingCheckpoint[];
  /** Every number up to it is over, aborted or complete: shards release what they hold for it. */
  readonly aborted: CheckpointId;
  readonly retained: readonly RetainedCheckpoint[];
  readonly pins: readonly Pin[];
  /** Oldest retained or pinned checkpoint; the base never passes it. Never falls. */
  readonly floor: CheckpointId;
  /** Of the checkpoint that completed last: the oldest epoch with envelopes that were in flight at it. Senders keep it and what follows. */
  readonly inFlightFrom?: Epoch;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
  /** Consecutive failed checkpoints that count, and the tries of the running execution's name. */
  readonly failures: number;
  readonly try: number;
  /** Interval and minimum pause count from these (0 = never yet). */
  readonly triggeredAtMs: number;
  readonly completedAtMs: number;
  /** Source shards of this attempt that have no more input, by vertex. */
  readonly ended: Readonly<Record<OperatorUid, readonly number[]>>;
  /** A sweep is on its way, last armed for this time (0 = none). */
  readonly sweepAtMs: number;
  /** Over the whole life of the job. */
  readonly counts: { readonly completed: number; readonly failed: number; readonly restored: number };
  /** Absent where no batch has ever been tried again by the restart strategy. */
  readonly restarts?: RestartState;
  /** Namespace of its rows in the base; absent = the job's id. A savepoint that the job goes back to is imported into another one. */
  readonly space?: string;
  /** Dropped once nobody can read them any more; absent = none. */
  readonly leftSpaces?: readonly LeftSpace[];
  /** Object with cause, operator and position where the job has failed. */
  readonly failure: string | null;
}

export function spaceOf({ job, space }: Pick<JobRecord, 'job' | 'space'>): string {
  return space ?? job;
}
