/**
 * What the HTTP API and the progress line ask of a running system, in Sluice's own terms: plain data and asynchronous methods. The views turn it into
 * Flink's shapes; port-job-control.ts answers it from the ports.
 */
import type { JobId } from '../base/ids.ts';
import type { CheckpointSettings, SettingChange } from '../checkpoint/checkpoint-settings.ts';
import type { RestoreInput } from '../coordinator/restore-input.ts';
import type { RestorePreview } from '../coordinator/restore-preview.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import type { DeadLetter } from '../model/dead-letter.ts';
import type { PresentProblem } from '../ports/problem-board.ts';
import type { JobStatus } from '../model/job-record.ts';
import type { OperationRecord } from '../ports/records.ts';
import type { CheckpointsOfJob } from './checkpoints-of-job.ts';
import type { JobDetails, JobSummary } from './job-details.ts';

export interface SavepointRequest {
  /** Made by the caller where it wants to be able to repeat the request; else one is drawn. */
  readonly trigger: string | null;
  readonly directory: string | null;
  /** `cancel`: the job is cancelled once the savepoint is complete. */
  readonly then: 'run-on' | 'cancel';
}

export interface StopRequest {
  readonly trigger: string | null;
  readonly directory: string | null;
  readonly mode: 'drain' | 'suspend';
}

/** `no-directory`: neither the request nor the configuration names one. Everything else that goes wrong is found in the operation. */
export type TriggerOutcome = { readonly outcome: 'accepted'; readonly trigger: string } | { readonly outcome: 'no-directory' };

export type CancelOutcome =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'unknown-job' }
  /** It has ended in another way. */
  | { readonly outcome: 'ended'; readonly status: JobStatus };

export type SettingsOutcome =
  | { readonly outcome: 'changed'; readonly changes: readonly SettingChange[]; readonly settings: CheckpointSettings }
  | { readonly outcome: 'ended'; readonly status: JobStatus };

/** Answers `undefined` for a job that is not known. */
export interface JobReads {
  /** Newest first. A job of which something is lost is among them: it must not hide the others. */
  list(): Promise<readonly JobSummary[]>;
  details(job: JobId): Promise<JobDetails | undefined>;
  status(job: JobId): Promise<JobStatus | undefined>;
  checkpoints(job: JobId): Promise<CheckpointsOfJob | undefined>;
  /** Why the job has failed; null = it has not. */
  failure(job: JobId): Promise<JobFailure | null | undefined>;
  /** What goes wrong now and is tried again, oldest first. */
  problems(job: JobId): Promise<readonly PresentProblem[]>;
  /** What its operators have set aside, of completed checkpoints. */
  deadLetters(job: JobId): Promise<readonly DeadLetter[] | undefined>;
  /** How many; cheap to ask again and again. */
  deadLetterCount(job: JobId): Promise<number>;
  operation(job: JobId, trigger: string): Promise<OperationRecord | undefined>;
}

export interface JobControl extends JobReads {
  triggerSavepoint(job: JobId, request: SavepointRequest): Promise<TriggerOutcome>;
  triggerStop(job: JobId, request: StopRequest): Promise<TriggerOutcome>;
  /** Accepted as savepoints are: what is wrong is found in the operation. */
  triggerCheckpoint(job: JobId, trigger: string | null): Promise<{ readonly outcome: 'accepted'; readonly trigger: string }>;
  /** From the next checkpoint on. `change` may be called again, and what it throws is thrown. */
  changeCheckpointSettings(job: JobId, change: (settings: CheckpointSettings) => CheckpointSettings): Promise<SettingsOutcome | undefined>;
  cancel(job: JobId): Promise<CancelOutcome>;
  /** Of the job itself, to a checkpoint that it holds or to a savepoint. Accepted as savepoints are: what is wrong is found in the operation. */
  triggerRestore(
    input: RestoreInput,
    trigger: string | null,
  ): Promise<{ readonly outcome: 'accepted'; readonly trigger: string } | undefined>;
  /** What it would do, and everything against it. Changes nothing. */
  previewRestore(input: RestoreInput): Promise<RestorePreview | undefined>;
}
