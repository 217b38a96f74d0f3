/**
 * JobControl over the ports, and over what the coordinator offers to those who want something of a job.
 *
 * PC1. A trigger id starts one operation, whoever repeats it and however the job has changed since; what cannot be started is an operation that has
 *      failed, because Flink's clients look for the reason there.
 */
import type { JobId } from '../base/ids.ts';
import type { CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import { requestCancel } from '../coordinator/cancel-job.ts';
import { changeWhileRunning } from '../coordinator/change-settings.ts';
import { manualCheckpointKind, takeCheckpoint } from '../coordinator/manual-checkpoint.ts';
import type { CoordinatorDeps } from '../coordinator/coordinator-deps.ts';
import { requestOperation } from '../coordinator/operation-log.ts';
import { restoreOperation } from '../coordinator/restore-by-hand.ts';
import type { RestoreInput } from '../coordinator/restore-input.ts';
import { previewRestore } from '../coordinator/restore-preview.ts';
import { stopWithSavepoint, takeSavepoint, type SavepointOrder } from '../coordinator/savepoint-requests.ts';
import type { JobRecord, JobStatus } from '../model/job-record.ts';
import type { OperationRecord } from '../ports/records.ts';
import type { CancelOutcome, JobControl, SavepointRequest, SettingsOutcome, StopRequest, TriggerOutcome } from './job-control.ts';
import { createPortJobReads, ifKnown, type PortJobReadsOptions } from './port-job-reads.ts';

export interface PortJobControlOptions extends PortJobReadsOptions {
  readonly deps: CoordinatorDeps;
  /** Where savepoints go that name no directory; null = they must. */
  readonly savepointDirectory: string | null;
}

export function createPortJobControl(options: PortJobControlOptions): JobControl {
  const { deps } = options;
  return {
    ...createPortJobReads(options),
    triggerSavepoint: (job, request) =>
      trigger(options, job, { kind: 'savepoint', request, start: (order) => takeSavepoint(deps, { ...order, then: request.then }) }),
    triggerStop: (job, request) =>
      trigger(options, job, { kind: 'stop', request, start: (order) => stopWithSavepoint(deps, { ...order, stop: request.mode }) }),
    triggerCheckpoint: (job, given) => triggerCheckpoint(deps, job, given),
    changeCheckpointSettings: (job, change) => ifKnown(deps, job, (record) => changeSettings(deps, record, change)),
    cancel: (job) => cancel(deps, job),
    triggerRestore: (input, given) => ifKnown(deps, input.jobId, () => triggerRestore(deps, input, given)),
    previewRestore: (input) => ifKnown(deps, input.jobId, () => previewRestore(deps, input)),
  };
}

/** What is wanted of a job that is known and has not ended, and how it would be written down otherwise. */
interface WantedOperation {
  readonly kind: 'savepoint' | 'stop';
  readonly request: SavepointRequest | StopRequest;
  readonly start: (order: SavepointOrder) => Promise<OperationRecord>;
}

async function trigger(
  { deps, savepointDirectory }: PortJobControlOptions,
  job: JobId,
  { kind, request, start }: WantedOperation,
): Promise<TriggerOutcome> {
  const directory = request.directory ?? savepointDirectory;
  if (directory === null) return { outcome: 'no-directory' };
  const id = request.trigger ?? deps.random.hex(32);
  const record = await deps.jobs.read(job);
  if (record === undefined || isTerminal(record.status)) {
    const facts = { job, trigger: id, kind, request: { directory } };
    await deps.operations.create(failedOperation(facts, record?.status, deps.clock.now()));
  } else {
    await start({ job, trigger: id, directory });
  }
  return { outcome: 'accepted', trigger: id };
}

async function triggerCheckpoint(
  deps: CoordinatorDeps,
  job: JobId,
  given: string | null,
): Promise<{ readonly outcome: 'accepted'; readonly trigger: string }> {
  const id = given ?? deps.random.hex(32);
  const record = await deps.jobs.read(job);
  if (record === undefined || isTerminal(record.status)) {
    const facts = { job, trigger: id, kind: manualCheckpointKind, request: {} };
    await deps.operations.create(failedOperation(facts, record?.status, deps.clock.now()));
  } else {
    await takeCheckpoint(deps, { job, trigger: id });
  }
  return { outcome: 'accepted', trigger: id };
}

async function triggerRestore(
  deps: CoordinatorDeps,
  input: RestoreInput,
  given: string | null,
): Promise<{ readonly outcome: 'accepted'; readonly trigger: string }> {
  const id = given ?? deps.random.hex(32);
  await requestOperation(deps, 'restore', await restoreOperation(deps, input, id), {});
  return { outcome: 'accepted', trigger: id };
}

async function changeSettings(
  deps: CoordinatorDeps,
  { job, status }: JobRecord,
  change: (settings: CheckpointSettings) => CheckpointSettings,
): Promise<SettingsOutcome> {
  if (isTerminal(status)) return { outcome: 'ended', status };
  const { changes, settings } = await changeWhileRunning(deps, job, change);
  return { outcome: 'changed', changes, settings };
}

type OperationFacts = Pick<OperationRecord, 'job' | 'trigger' | 'kind' | 'request'>;

function failedOperation(request: OperationFacts, status: JobStatus | undefined, nowMs: number): OperationRecord {
  const failure =
    status === undefined
      ? { code: 'SLUICE-JOB-UNKNOWN', message: `Could not find Flink job (${request.job})`, hint: 'List the jobs, and check the id.' }
      : {
          code: 'SLUICE-JOB-ENDED',
          message: `Could not find Flink job (${request.job}): it has ended and is ${status}`,
          hint: 'Restore it first, or use one of its retained checkpoints.',
        };
  return { ...request, status: 'COMPLETED', progress: {}, location: null, failure, createdAtMs: nowMs, changedAtMs: nowMs };
}

async function cancel(deps: CoordinatorDeps, job: JobId): Promise<CancelOutcome> {
  const record = await deps.jobs.read(job);
  if (record === undefined) return { outcome: 'unknown-job' };
  // As in Flink, what is canceled or on its way there is no error.
  if (record.status === 'CANCELED' || record.status === 'CANCELLING') return { outcome: 'accepted' };
  if (isTerminal(record.status)) return { outcome: 'ended', status: record.status };
  await requestCancel(deps, job);
  return { outcome: 'accepted' };
}
