/**
 * A batch has failed, and the shard tries it again after the pause that it reads off the same strategy. Here the attempt is counted, or the job ends.
 *
 * RB1. The count stands in the job record before the message is done with: it survives a crash of anybody.
 */
import { noteRestart } from '../checkpoint/restart-attempts.ts';
import { defaultRestartStrategy, restartStrategyText, type RestartStrategy } from '../checkpoint/restart-strategy.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import type { JobRecord } from '../model/job-record.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { jobFailed } from './fail-job.ts';
import { updateJob } from './update-job.ts';

export async function restartOrFail(deps: CoordinatorDeps, record: JobRecord, failure: JobFailure): Promise<'taken' | 'dropped'> {
  const { job, attempt } = record;
  const { restart: strategy = defaultRestartStrategy } = await readPlan(deps, record.plan);
  const facts = { attempt, failedAtMs: failure.atMs };
  const updated = await updateJob<'superseded' | 'exhausted'>(deps, job, (current) =>
    noteRestart(current, facts, strategy, deps.clock.now()),
  );
  if (updated.outcome !== 'refused') return 'taken';
  if (updated.reason === 'superseded') return 'dropped';
  const outcome = await jobFailed(deps, record, exhausted(failure, strategy, updated.record));
  return outcome === 'superseded' ? 'dropped' : 'taken';
}

/** The cause stays what it was; how often it was tried is one more fact. */
function exhausted(failure: JobFailure, strategy: RestartStrategy, { restarts }: JobRecord): JobFailure {
  const attempts = strategy.type === 'none' ? 0 : (restarts?.attempts ?? 0);
  return { ...failure, facts: { ...failure.facts, 'restart-strategy': restartStrategyText(strategy), restarts: attempts } };
}
