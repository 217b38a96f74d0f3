/**
 * JobControl over the ports, and over what the coordinator offers to those who want something of a job.
 *
 * PC1. A trigger id starts one operation, whoever repeats it and however the job has changed since; what cannot be started is an operation that has
 *      failed, because Flink's clients look for the reason there.
 */
import type { CheckpointId, JobId } from '../base/ids.ts';
import type { CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import { requestCancel } from '../coordinator/cancel-job.ts';
import { changeWhileRunning } from '../coordinator/change-settings.ts';
import { manualCheckpointKind, takeCheckpoint } from '../coordinator/manual-checkpoint.ts';
import { readObject, readPlan, type CoordinatorDeps } from '../coordinator/coordinator-deps.ts';
import { requestOperation } from '../coordinator/operation-log.ts';
import { restoreOperation } from '../coordinator/restore-by-hand.ts';
import type { RestoreInput } from '../coordinator/restore-input.ts';
import { previewRestore } from '../coordinator/restore-preview.ts';
import { countDeadLetters, readDeadLetters } from '../coordinator/read-dead-letters.ts';
import { stopWithSavepoint, takeSavepoint, type SavepointOrder } from '../coordinator/savepoint-requests.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import type { JobRecord, JobStatus } from '../model/job-record.ts';
import { decodeValue } from '../model/value-json.ts';
import type { OperationRecord } from '../ports/records.ts';
import { describeCheckpoints } from './describe-checkpoints.ts';
import { describeJob } from './describe-job.ts';
import type { CheckpointsOfJob } from './checkpoints-of-job.ts';
import type { CancelOutcome, JobControl, SavepointRequest, SettingsOutcome, StopRequest, TriggerOutcome } from './job-control.ts';
import type { JobDetails } from './job-details.ts';

export interface PortJobControlOptions {
  readonly deps: CoordinatorDeps;
  /** Where savepoints go that name no directory; null = they must. */
  readonly savepointDirectory: string | null;
  /** How a retained checkpoint is named to those who want to start from it; given is the key of its manifest. */
  readonly checkpointLocation: (manifest: string) => string;
}

export function createPortJobControl(options: PortJobControlOptions): JobControl {
  const { deps } = options;
  const { jobs } = deps;
  const ifKnown = async <T>(job: JobId, read: (record: JobRecord) => Promise<T>): Promise<T | undefined> => {
    const record = await jobs.read(job);
    return record === undefined ? undefined : read(record);
  };
  return {
    list: async () => Promise.all([...(await jobs.list())].sort(newestFirst).map((record) => readDetails(deps, record))),
    details: (job) => ifKnown(job, (record) => readDetails(deps, record)),
    status: (job) => ifKnown(job, async ({ status }) => status),
    checkpoints: (job) => ifKnown(job, (record) => readCheckpoints(options, record)),
    failure: (job) => ifKnown(job, (record) => readFailure(deps, record)),
    problems: async () => deps.problems?.list() ?? [],
    deadLetters: (job) => ifKnown(job, () => readDeadLetters(deps.objects, job)),
    deadLetterCount: async (job) => (await ifKnown(job, (record) => countDeadLetters(deps.objects, record))) ?? 0,
    triggerSavepoint: (job, request) =>
      trigger(options, job, { kind: 'savepoint', request, start: (order) => takeSavepoint(deps, { ...order, then: request.then }) }),
    triggerStop: (job, request) =>
      trigger(options, job, { kind: 'stop', request, start: (order) => stopWithSavepoint(deps, { ...order, stop: request.mode }) }),
    triggerCheckpoint: (job, given) => triggerCheckpoint(deps, job, given),
    changeCheckpointSettings: (job, change) => ifKnown(job, (record) => changeSettings(deps, record, change)),
    cancel: (job) => cancel(deps, job),
    triggerRestore: (input, given) => ifKnown(input.jobId, () => triggerRestore(deps, input, given)),
    previewRestore: (input) => ifKnown(input.jobId, () => previewRestore(deps, input)),
    operation: (job, id) => deps.operations.read(job, id),
  };
}

function newestFirst(a: JobRecord, b: JobRecord): number {
  return b.createdAtMs - a.createdAtMs;
}

async function readDetails(deps: CoordinatorDeps, record: JobRecord): Promise<JobDetails> {
  const stored = await readPlan(deps, record.plan);
  const { job } = record;
  const shards = await Promise.all(
    stored.plan.vertices.map(({ uid, parallelism }) =>
      Promise.all(Array.from({ length: parallelism }, (_, shard) => deps.shards.read({ job, uid, shard }))),
    ),
  );
  return describeJob({ record, stored, shards, history: await deps.history.read(job), failure: await readFailure(deps, record) });
}

async function readCheckpoints({ deps, checkpointLocation }: PortJobControlOptions, record: JobRecord): Promise<CheckpointsOfJob> {
  const { job, attempt, pending } = record;
  const { plan } = await readPlan(deps, record.plan);
  const acknowledged = await Promise.all(pending.map(async ({ id }) => [id, await deps.acknowledgements.list(job, attempt, id)] as const));
  const savepoints = new Map<CheckpointId, string>();
  for (const { location, progress } of await deps.operations.list(job)) {
    if (location !== null && typeof progress['checkpoint'] === 'number') savepoints.set(progress['checkpoint'], location);
  }
  const history = await deps.history.read(job);
  return describeCheckpoints({ record, plan, history, acknowledged: new Map(acknowledged), savepoints, checkpointLocation });
}

async function readFailure(deps: CoordinatorDeps, { failure }: JobRecord): Promise<JobFailure | null> {
  if (failure === null) return null;
  return decodeValue(Buffer.from(await readObject(deps, failure)).toString('utf8')) as JobFailure;
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
