/** A job as the API knows it: what its record, its plan and its shards' records say together. */
import type { Attempt, JobId, OperatorUid } from '../base/ids.ts';
import type { CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import type { RestartStrategy } from '../checkpoint/restart-strategy.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { JobStatus } from '../model/job-record.ts';

/** Flink's execution states, as far as they occur here. */
export type TaskState = 'CREATED' | 'INITIALIZING' | 'RUNNING' | 'FINISHED' | 'CANCELING' | 'CANCELED' | 'FAILED';

export interface ShardDetails {
  readonly shard: number;
  readonly state: TaskState;
  /** 0 = no attempt has begun here. */
  readonly attempt: Attempt;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** Event time reached; MIN_WATERMARK = none yet. */
  readonly watermark: number;
}

export interface VertexDetails {
  readonly uid: OperatorUid;
  readonly name: string;
  readonly maxParallelism: number;
  readonly shards: readonly ShardDetails[];
}

/** A job among others. What its record says is always known; the rest is missing where it cannot be read. */
export interface JobSummary {
  readonly job: JobId;
  readonly name: string;
  readonly status: JobStatus;
  readonly startedAtMs: number;
  /** null = it has not ended. */
  readonly endedAtMs: number | null;
  /** When each status was last reached. */
  readonly statusTimes: Readonly<Partial<Record<JobStatus, number>>>;
  readonly shards: readonly ShardDetails[];
  /** Why nothing is known of its shards; null = it is. */
  readonly unreadable: { readonly code: string; readonly message: string } | null;
}

export interface JobDetails {
  readonly job: JobId;
  readonly name: string;
  readonly status: JobStatus;
  readonly attempt: Attempt;
  readonly startedAtMs: number;
  /** null = it has not ended. */
  readonly endedAtMs: number | null;
  /** When each status was last reached. */
  readonly statusTimes: Readonly<Partial<Record<JobStatus, number>>>;
  readonly plan: JobPlan;
  readonly settings: CheckpointSettings;
  readonly restart: RestartStrategy;
  readonly vertices: readonly VertexDetails[];
}
