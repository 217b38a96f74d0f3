/**
 * The one way in which steps change the job record: read, decide (pure), write on condition, and again where another write came between.
 * Flows whose checkpoint ended by it are told; where that is lost, their own timeout tells them.
 *
 * UJ1. An answer that was lost makes the next try of the same write look like a lost race. What is stored says whose it is: a record that is the same in
 *      every field has the same effect, whoever wrote it.
 */
import { canonicalJson } from '../base/canonical-json.ts';
import { SluiceError } from '../base/errors.ts';
import type { JobId } from '../base/ids.ts';
import { failureText, type FailureReason } from '../checkpoint/failure-reason.ts';
import { heldCheckpoint } from '../checkpoint/retention.ts';
import type { Transition } from '../checkpoint/transition.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { noteFailed, noteStatus } from './record-history.ts';
import { restWhenEnded } from './turn-event-sources.ts';

export type Updated<Reason extends string> =
  | { readonly outcome: 'changed' | 'unchanged'; readonly record: JobRecord }
  | { readonly outcome: 'refused'; readonly reason: Reason; readonly record: JobRecord };

/** Writers are few: shards write other records. */
const triesMax = 50;

/** @throws SluiceError `SLUICE-JOB-UNKNOWN`, or a retryable `SLUICE-CONTENTION` */
export async function updateJob<Reason extends string>(
  deps: CoordinatorDeps,
  job: JobId,
  decide: (record: JobRecord) => Transition<Reason>,
  abortReason?: FailureReason,
): Promise<Updated<Reason>> {
  for (let tries = 0; tries < triesMax; tries++) {
    const before = await readJob(deps, job);
    const transition = decide(before);
    if (transition.outcome === 'refused') return { ...transition, record: before };
    if (transition.outcome === 'unchanged') return transition;
    const stored = await deps.jobs.replace(transition.record, before.version);
    if (stored === 'conflict' && !(await isWritten(deps, transition.record))) continue;
    await noteStatus(deps, before, transition.record);
    await tellEnded(deps, before, transition.record, abortReason ?? impliedReason(before, transition.record));
    await restWhenEnded(deps, before, transition.record);
    return transition;
  }
  throw new SluiceError('SLUICE-CONTENTION', `the record of job ${job} changed ${triesMax} times while it was being written`, {
    hint: 'Try again. If it lasts, look for a caller that updates the job in a loop.',
    facts: { job },
    retryable: true,
  });
}

/** UJ1. */
async function isWritten(deps: CoordinatorDeps, record: JobRecord): Promise<boolean> {
  return canonicalJson(await readJob(deps, record.job)) === canonicalJson(record);
}

/** @throws SluiceError `SLUICE-JOB-UNKNOWN` */
export async function readJob(deps: Pick<CoordinatorDeps, 'jobs'>, job: JobId): Promise<JobRecord> {
  const record = await deps.jobs.read(job);
  if (record !== undefined) return record;
  throw new SluiceError('SLUICE-JOB-UNKNOWN', `there is no job ${job}`, { hint: 'List the jobs, and check the id.', facts: { job } });
}

async function tellEnded(deps: CoordinatorDeps, before: JobRecord, after: JobRecord, reason: FailureReason): Promise<void> {
  for (const ended of before.pending) {
    if (after.pending.some(({ id }) => id === ended.id) || heldCheckpoint(after, ended.id) !== undefined) continue;
    // First whoever waits: what fails behind it is only tidiness.
    if (ended.token !== null) await deps.signal.fail(ended.token, { code: reason, cause: failureText(reason) });
    await noteFailed(deps, before, ended, reason, after.changedAtMs);
    await deps.acknowledgements.remove(before.job, before.attempt, ended.id);
  }
}

/** Why a checkpoint ended that nobody aborted by its number: what else the write did. */
function impliedReason(before: JobRecord, after: JobRecord): FailureReason {
  if (after.status === 'FAILED') return 'TASK_FAILURE';
  if (after.attempt > before.attempt || after.status === 'SUSPENDED') return 'CHECKPOINT_COORDINATOR_SUSPEND';
  return after.completed > before.completed ? 'CHECKPOINT_SUBSUMED' : 'CHECKPOINT_COORDINATOR_SHUTDOWN';
}
