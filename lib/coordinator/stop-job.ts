/** Steps of a stop with savepoint after its export: the end of the job, or the way back. */
import { mutated } from '../base/mutated.ts';
import type { Attempt, CheckpointId } from '../base/ids.ts';
import { SluiceError } from '../base/errors.ts';
import { commitStopped } from '../checkpoint/completion.ts';
import { finishJob } from '../checkpoint/job-ending.ts';
import { stopFallback } from '../checkpoint/restoration.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import type { OperationInput } from './operation-log.ts';
import { publishCompleted } from './publish-parts.ts';
import { newestOf } from './restore-request.ts';
import { resumeJob } from './resume-job.ts';
import { switchTo } from './switch-restore.ts';
import { sayingWhatIsStuck } from './turn-event-sources.ts';
import { readJob, updateJob } from './update-job.ts';

/** The savepoint is whole: sinks commit, and the job is FINISHED. */
export async function commitStop(
  deps: CoordinatorDeps,
  { job, checkpoint, attempt }: OperationInput & { readonly checkpoint: CheckpointId; readonly attempt: Attempt },
): Promise<void> {
  const { settings } = await readPlan(deps, (await readJob(deps, job)).plan);
  const stopped = { checkpoint, attempt };
  const committed = await updateJob(deps, job, (record) => commitStopped(record, stopped, settings.retained, deps.clock.now()));
  if (committed.outcome === 'refused') throw notStopped(job, committed.reason);
  await publishCompleted(deps, job);
  const finished = await updateJob(deps, job, (record) => finishJob(record, stopped, deps.clock.now()));
  if (finished.outcome === 'refused') throw notStopped(job, finished.reason);
  deps.logger.log('info', `job ${finished.record.name} has stopped`, { job, checkpoint });
}

type StopInput = OperationInput & { readonly stop: 'drain' | 'suspend' };

/**
 * Sources have ended for a stop that failed: the job goes back to the stop's own checkpoint if that completed and nothing was drained, else to the newest
 * before it, and runs on.
 */
export function recoverStop(deps: CoordinatorDeps, input: StopInput): Promise<void> {
  return sayingWhatIsStuck(deps, input, () => goBack(deps, input));
}

async function goBack(deps: CoordinatorDeps, input: StopInput): Promise<void> {
  const record = await readJob(deps, input.job);
  const isOurs = [...record.pending, ...record.pins].some(({ flow }) => flow === input.flow);
  if (isOurs && !mutated('stop-not-taken-back')) {
    const fallback = stopFallback(record, input.flow, input.stop === 'drain');
    const { attempt } = await switchTo(
      deps,
      record,
      { ...newestOf(record), ...(fallback === null ? {} : { checkpoint: fallback }) },
      input.trigger,
    );
    return resumeJob(deps, { job: input.job, attempt });
  }
  // An earlier try of this step may have switched; or the stop never got as far as an order.
  if (record.status === 'RESTARTING') await resumeJob(deps, { job: input.job, attempt: record.attempt });
}

function notStopped(job: string, reason: string): SluiceError {
  return new SluiceError('SLUICE-REFUSED', `job ${job} could not be stopped: ${reason}`, {
    hint: 'The savepoint is whole. Look at what else was asked of the job, and stop it again.',
    facts: { job, reason },
  });
}
