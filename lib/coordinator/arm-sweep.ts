/**
 * Flows that come by themselves: the sweep, armed before the work that it guards, and the collector, named by its span of time, so that many callers
 * start one.
 */
import { armSweep as arm } from '../checkpoint/sweep-guard.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { updateJob } from './update-job.ts';

/**
 * One write and one start: the record says that it is armed, from then until a sweep finds nothing to guard and says so in one write. So whoever writes
 * down unfinished work in a record that is armed is found by the next sweep. A name is used once, because versions are.
 */
export async function armSweep(deps: CoordinatorDeps, record: JobRecord): Promise<JobRecord> {
  if (record.sweepAtMs > 0) return record;
  const nowMs = deps.clock.now();
  const atMs = nowMs + deps.sweepMs;
  await deps.flows.start('sweep', `sweep-${record.job}-${record.createdAtMs.toString(36)}-${record.version}`, {
    job: record.job,
    next: { again: true, at: new Date(atMs).toISOString() },
  });
  return (await updateJob(deps, record.job, (current) => arm(current, atMs, nowMs))).record;
}

/** Called when a checkpoint has completed; garbage comes of nothing else. */
export async function startCollector(deps: CoordinatorDeps, before: JobRecord, after: JobRecord): Promise<void> {
  const span = (timeMs: number): number => Math.floor(timeMs / deps.collectMs);
  if (span(Math.max(before.completedAtMs, before.createdAtMs)) === span(after.completedAtMs)) return;
  await deps.flows.start('collect', `collect-${after.job}-${span(after.completedAtMs)}`, { job: after.job });
}
