/** Step: ends a job without a last checkpoint. What is completed becomes visible first; then the checkpoints go or stay, by the job's option. */
import type { JobId } from '../base/ids.ts';
import { beginCancel, endCancel } from '../checkpoint/job-ending.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { publishCompleted } from './publish-parts.ts';
import { readJob, updateJob } from './update-job.ts';

export async function cancelJob(deps: CoordinatorDeps, { job }: { readonly job: JobId }): Promise<void> {
  const begun = await updateJob(deps, job, (record) => beginCancel(record, deps.clock.now()));
  // It ended in another way meanwhile.
  if (begun.outcome === 'refused') return;
  const { settings } = await readPlan(deps, begun.record.plan);
  await publishCompleted(deps, job);
  await updateJob(deps, job, (record) => endCancel(record, settings.retentionOnCancellation, deps.clock.now()));
  deps.logger.log('info', `job ${begun.record.name} is canceled`, { job });
}

/** Asked for by a person: once per attempt, however often it is asked; a job that was canceled and restored can be canceled again. */
export async function requestCancel(deps: CoordinatorDeps, job: JobId): Promise<void> {
  const { attempt } = await readJob(deps, job);
  await deps.flows.start('cancel', `cancel-${job}-${attempt}`, { job });
}
