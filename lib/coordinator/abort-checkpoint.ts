/** Step: the end of a checkpoint that failed, and the start of what follows: the next try, or the recovery of the job. */
import type { JobId } from '../base/ids.ts';
import { reasonOfFlowError } from '../checkpoint/flow-error.ts';
import { abortCheckpoint as abort, nextTry } from '../checkpoint/abort.ts';
import { unchanged } from '../checkpoint/transition.ts';
import { postponed } from './flow-descriptions.ts';
import { isCurrentFlow, startWhenDue } from './start-checkpoint.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { updateJob } from './update-job.ts';

export interface AbortInput {
  readonly job: JobId;
  readonly flow: string;
  readonly phase: 'trigger' | 'complete';
  readonly error: { readonly Error: string; readonly Cause: string };
}

export async function abortCheckpoint(deps: CoordinatorDeps, { job, flow, phase, error }: AbortInput): Promise<void> {
  const updated = await updateJob(
    deps,
    job,
    (record) => {
      const nowMs = deps.clock.now();
      const pending = record.pending.find((candidate) => candidate.flow === flow);
      if (pending !== undefined) return abort(record, pending.id, reasonOfFlowError(error.Error, phase), nowMs);
      // Aborted by somebody else, or an earlier try of this step: the name has changed since.
      if (!isCurrentFlow(record, flow)) return unchanged(record);
      const reason = error.Error === postponed ? null : reasonOfFlowError(error.Error, 'numbering');
      return nextTry(record, record, reason, nowMs);
    },
    reasonOfFlowError(error.Error, phase),
  );
  deps.logger.log('warn', `a checkpoint of job ${job} failed`, { flow, error: error.Error, cause: error.Cause });
  await startWhenDue(deps, updated.record, false);
}
