/**
 * Makes a job: plan object, job record, first messages. Calling it again with the same id changes nothing and kicks again.
 */
import type { CheckpointId, JobId } from '../base/ids.ts';
import type { CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import type { RestartStrategy } from '../checkpoint/restart-strategy.ts';
import { expectedShards } from '../checkpoint/completeness.ts';
import { assertRecord } from '../checkpoint/transition.ts';
import { encodeStoredPlan } from '../checkpoint/stored-plan.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import { armSweep } from './arm-sweep.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { noteStatus } from './record-history.ts';
import { sendControl } from './send-control.ts';
import { readJob } from './update-job.ts';

export interface NewJob {
  readonly job: JobId;
  readonly name: string;
  readonly plan: JobPlan;
  /** Hash of JobPlan and code, as the functions know it. */
  readonly planHash: string;
  readonly settings: CheckpointSettings;
  readonly restart?: RestartStrategy;
  readonly code?: string;
  /** From an import: its checkpoint, with manifest and descriptor in the job's own namespace. */
  readonly from?: { readonly checkpoint: CheckpointId; readonly manifest: string; readonly descriptor: string };
}

export async function startJob(
  deps: CoordinatorDeps,
  job: NewJob,
): Promise<{ readonly outcome: 'started' | 'exists'; readonly record: JobRecord }> {
  const stored = encodeStoredPlan(job.job, job);
  await deps.objects.createIfAbsent(stored.key, stored.bytes);
  const record = firstRecord(job, stored.key, deps.clock.now());
  assertRecord(record);
  const outcome = (await deps.jobs.create(record)) === 'stored' ? 'started' : 'exists';
  const current = await armSweep(deps, await readJob(deps, job.job));
  await noteStatus(deps, null, record);
  if (outcome === 'started') deps.logger.log('info', `job ${job.name} has started`, { job: job.job });
  await kickShards(deps, current, 1);
  return { outcome, record: current };
}

/** The first message of an attempt makes a shard initialise itself; for one that has done so it is a duplicate. */
export async function kickShards(deps: CoordinatorDeps, { job, attempt, plan }: JobRecord, number: number): Promise<void> {
  const { plan: jobPlan } = await readPlan(deps, plan);
  await sendControl(deps.messages, { kind: 'kick', job, attempt, number }, expectedShards(jobPlan));
}

/** An import counts as completed and is retained: until the first own checkpoint it is what recovery goes back to. Its sink parts are still to be published. */
function firstRecord({ job, name, planHash, from }: NewJob, plan: string, nowMs: number): JobRecord {
  const checkpoint = from?.checkpoint ?? 0;
  return {
    job,
    name,
    version: 1,
    status: 'RUNNING',
    attempt: 1,
    planHash,
    plan,
    descriptor: from?.descriptor ?? null,
    firstEpoch: checkpoint + 1,
    numbered: checkpoint,
    dirtyEpoch: checkpoint,
    completed: checkpoint,
    published: 0,
    pending: [],
    aborted: checkpoint,
    retained: from === undefined ? [] : [{ id: checkpoint, kind: 'savepoint', manifest: from.manifest }],
    pins: [],
    floor: checkpoint,
    createdAtMs: nowMs,
    changedAtMs: nowMs,
    failures: 0,
    try: 0,
    triggeredAtMs: 0,
    completedAtMs: 0,
    ended: {},
    sweepAtMs: 0,
    counts: { completed: 0, failed: 0, restored: 0 },
    failure: null,
  };
}
