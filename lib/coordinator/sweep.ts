/**
 * Step: finishes what somebody left unfinished by dying. Everything here is somebody else's work and safe to do twice.
 *
 * SW3. It ends when nothing is unfinished, in the write that says so: an idle job has no sweep, and nothing unfinished slips in between.
 */
import type { JobId } from '../base/ids.ts';
import { expectedShards } from '../checkpoint/completeness.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import { finishJob } from '../checkpoint/job-ending.ts';
import { endSweep } from '../checkpoint/sweep-guard.ts';
import { unpin } from '../checkpoint/pins.ts';
import { committedStop } from '../checkpoint/trigger-policy.ts';
import type { JobRecord } from '../model/job-record.ts';
import { triggerOf } from './asked-by-hand.ts';
import { cancelJob } from './cancel-job.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { failSavepoint } from './finish-savepoint.ts';
import { publishCompleted } from './publish-parts.ts';
import { resumeJob } from './resume-job.ts';
import { startWhenDue } from './start-checkpoint.ts';
import { sendControl } from './send-control.ts';
import { recoverStop } from './stop-job.ts';
import { turnEventSources } from './turn-event-sources.ts';
import { readJob, updateJob } from './update-job.ts';

export async function sweep(
  deps: CoordinatorDeps,
  { job }: { readonly job: JobId },
): Promise<{ readonly again: boolean; readonly at: string }> {
  await recoverDeadStops(deps, await readJob(deps, job));
  let record = await releaseDeadPins(deps, await readJob(deps, job));
  if (record.published < record.completed) record = await publishCompleted(deps, job);
  record = await finishStopped(deps, record);
  if (record.status === 'CANCELLING') await cancelJob(deps, { job });
  else if (record.status === 'RESTARTING') await resumeJob(deps, { job, attempt: record.attempt });
  else if (isTerminal(record.status)) await turnEventSources(deps, { job });
  else {
    await kickUnstarted(deps, record);
    await startWhenDue(deps, record, false);
  }
  const atMs = deps.clock.now() + deps.sweepMs;
  record = (await updateJob(deps, job, (current) => endSweep(current, atMs, deps.clock.now()))).record;
  return { again: record.sweepAtMs > 0, at: new Date(atMs).toISOString() };
}

/** The flow of the stop died, or is about to do the same. */
async function finishStopped(deps: CoordinatorDeps, record: JobRecord): Promise<JobRecord> {
  const stop = committedStop(record);
  if (stop === undefined) return record;
  const stopped = { checkpoint: stop.id, attempt: record.attempt };
  return (await updateJob(deps, record.job, (current) => finishJob(current, stopped, deps.clock.now()))).record;
}

/** Sources have ended for a stop whose flow is gone: the job goes back and runs on. What was drained is not known any more, so as if it had been. */
async function recoverDeadStops(deps: CoordinatorDeps, { job, pending, pins }: JobRecord): Promise<void> {
  for (const { flow, kind } of [...pending, ...pins]) {
    if (kind !== 'stop-savepoint' || (await deps.flows.isRunning(flow))) continue;
    const input = { job, flow, trigger: triggerOfStop(job, flow) };
    await recoverStop(deps, { ...input, stop: 'drain' });
    await failSavepoint(deps, { ...input, error: { Error: 'TASK_FAILURE', Cause: 'the flow of the stop has ended' } });
  }
}

/** Of one that a person has started the name says nothing. */
function triggerOfStop(job: JobId, flow: string): string {
  const prefix = `stop-${job}-`;
  return flow.startsWith(prefix) ? flow.slice(prefix.length) : triggerOf({ flow });
}

/** A dead exporter would hold the floor for ever, and so would a deployment that nobody rolls back. A stop's pin goes with its own recovery. */
async function releaseDeadPins(deps: CoordinatorDeps, record: JobRecord): Promise<JobRecord> {
  let current = record;
  for (const { flow, kind, untilMs } of record.pins) {
    if (kind === 'stop-savepoint') continue;
    if (untilMs === undefined ? await deps.flows.isRunning(flow) : deps.clock.now() < untilMs) continue;
    current = (await updateJob(deps, record.job, (now) => unpin(now, flow, deps.clock.now()))).record;
  }
  return current;
}

/** Shards of the present attempt that nobody has woken. The number only has to be new. */
export async function kickUnstarted(deps: CoordinatorDeps, record: JobRecord): Promise<void> {
  const { plan } = await readPlan(deps, record.plan);
  const asleep = [];
  for (const shard of expectedShards(plan)) {
    const stored = await deps.shards.read({ job: record.job, ...shard });
    if (stored === undefined || stored.attempt < record.attempt) asleep.push(shard);
  }
  const number = Math.max(2, Math.floor(deps.clock.now() / 1_000));
  await sendControl(deps.messages, { kind: 'kick', job: record.job, attempt: record.attempt, number }, asleep);
}
