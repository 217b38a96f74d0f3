/** What is asked of jobs without changing anything, over the ports: needs neither the job's code nor a right to write. */
import { errorMessage } from '../base/errors.ts';
import type { CheckpointId, JobId } from '../base/ids.ts';
import { readObject, readPlan, type CoordinatorDeps } from '../coordinator/coordinator-deps.ts';
import { countDeadLetters, readDeadLetters } from '../coordinator/read-dead-letters.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import type { JobRecord } from '../model/job-record.ts';
import { decodeValue } from '../model/value-json.ts';
import type { CheckpointsOfJob } from './checkpoints-of-job.ts';
import { describeCheckpoints } from './describe-checkpoints.ts';
import { describeJob, summaryOf, summaryOfRecord } from './describe-job.ts';
import type { JobReads } from './job-control.ts';
import type { JobDetails, JobSummary } from './job-details.ts';
import { problemOf } from './request-problem.ts';

type ReadDeps = Pick<CoordinatorDeps, 'jobs' | 'shards' | 'acknowledgements' | 'operations' | 'objects' | 'history' | 'problems'>;

export interface PortJobReadsOptions {
  readonly deps: ReadDeps;
  /** How a retained checkpoint is named to those who want to start from it; given is the key of its manifest. */
  readonly checkpointLocation: (manifest: string) => string;
}

export function createPortJobReads(options: PortJobReadsOptions): JobReads {
  const { deps } = options;
  return {
    list: async () => Promise.all([...(await deps.jobs.list())].sort(newestFirst).map((record) => readSummary(deps, record))),
    details: (job) => ifKnown(deps, job, (record) => readDetails(deps, record)),
    status: (job) => ifKnown(deps, job, async ({ status }) => status),
    checkpoints: (job) => ifKnown(deps, job, (record) => readCheckpoints(options, record)),
    failure: (job) => ifKnown(deps, job, (record) => readFailure(deps, record)),
    problems: async () => deps.problems?.list() ?? [],
    deadLetters: (job) => ifKnown(deps, job, () => readDeadLetters(deps.objects, job)),
    deadLetterCount: async (job) => (await ifKnown(deps, job, (record) => countDeadLetters(deps.objects, record))) ?? 0,
    operation: (job, id) => deps.operations.read(job, id),
  };
}

export async function ifKnown<T>(
  { jobs }: Pick<ReadDeps, 'jobs'>,
  job: JobId,
  read: (record: JobRecord) => Promise<T>,
): Promise<T | undefined> {
  const record = await jobs.read(job);
  return record === undefined ? undefined : read(record);
}

function newestFirst(a: JobRecord, b: JobRecord): number {
  return b.createdAtMs - a.createdAtMs;
}

async function readSummary(deps: ReadDeps, record: JobRecord): Promise<JobSummary> {
  try {
    return summaryOf(await readDetails(deps, record));
  } catch (error) {
    return summaryOfRecord(record, { code: problemOf(error).code, message: errorMessage(error) });
  }
}

async function readDetails(deps: ReadDeps, record: JobRecord): Promise<JobDetails> {
  const stored = await readPlan(deps, record.plan);
  const { job } = record;
  const shards = await Promise.all(
    stored.plan.vertices.map(({ uid, parallelism }) =>
      Promise.all(Array.from({ length: parallelism }, (_, shard) => deps.shards.read({ job, uid, shard }))),
    ),
  );
  return describeJob({ record, stored, shards, history: await deps.history.read(job), failure: await readFailure(deps, record) });
}

async function readCheckpoints({ deps, checkpointLocation }: PortJobReadsOptions, record: JobRecord): Promise<CheckpointsOfJob> {
  const { job, attempt, pending } = record;
  const { plan } = await readPlan(deps, record.plan);
  const acknowledged = await Promise.all(pending.map(async ({ id }) => [id, await deps.acknowledgements.list(job, attempt, id)] as const));
  const savepoints = new Map<CheckpointId, string>();
  const operations = await deps.operations.list(job);
  const billed = operations.flatMap(({ trigger, kind, changedAtMs, bill }) =>
    bill === undefined ? [] : [{ trigger, kind, changedAtMs, bill }],
  );
  for (const { location, progress } of operations) {
    if (location !== null && typeof progress['checkpoint'] === 'number') savepoints.set(progress['checkpoint'], location);
  }
  const history = await deps.history.read(job);
  return describeCheckpoints({ record, plan, history, acknowledged: new Map(acknowledged), savepoints, billed, checkpointLocation });
}

async function readFailure(deps: ReadDeps, { failure }: JobRecord): Promise<JobFailure | null> {
  if (failure === null) return null;
  return decodeValue(Buffer.from(await readObject(deps, failure)).toString('utf8')) as JobFailure;
}
