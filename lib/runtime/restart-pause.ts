/**
 * How long a batch rests that is tried again by the restart strategy. The coordinator counts the attempts; from what it has counted, the shard reads off the
 * pause by the same decision, so that nobody waits for an answer.
 */
import { decideRestart, jittered } from '../checkpoint/restart-attempts.ts';
import { defaultRestartStrategy, type RestartStrategy } from '../checkpoint/restart-strategy.ts';
import { decodeStoredPlan } from '../checkpoint/stored-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { Runtime } from './runtime-deps.ts';

/** Until the coordinator has ended the job. */
const exhaustedPauseMs = 1_000;

export async function restartPauseMs({ deps }: Runtime, job: JobRecord, failedAtMs: number): Promise<number> {
  const strategy = await strategyOf(deps.objects, job);
  const decision = decideRestart(strategy, job.restarts, failedAtMs);
  return decision.kind === 'exhausted' ? exhaustedPauseMs : jittered(strategy, decision.delayMs, deps.random.fraction());
}

/** Read when something fails only, so it costs nothing before, and a change of it holds from the next failure on. */
async function strategyOf(objects: Runtime['deps']['objects'], job: JobRecord): Promise<RestartStrategy> {
  const bytes = await objects.read(job.plan);
  return (bytes === undefined ? undefined : decodeStoredPlan(bytes, job.plan).restart) ?? defaultRestartStrategy;
}
