/**
 * Starts the flow of the next checkpoint where one is due and none is on its way.
 *
 * SC1. The name of an execution says which attempt, after which checkpoint, and which try: whoever finds the same work due starts the same execution,
 *      and starting it twice is one. What makes the work another (a completion, an abort, a restore) changes the name.
 * SC2. A name that is used and not running belongs to an execution that died: the next try gets another name.
 */
import { mutated } from '../base/mutated.ts';
import { allSourcesEnded } from '../checkpoint/completeness.ts';
import { abortCheckpoint, nextTry } from '../checkpoint/abort.ts';
import { expiredCheckpoint } from '../checkpoint/pending-checkpoint.ts';
import { needsRestore } from '../checkpoint/restoration.ts';
import { answeredEpoch, decideTrigger, triggerTime, type TriggerFacts } from '../checkpoint/trigger-policy.ts';
import type { JobRecord } from '../model/job-record.ts';
import { armSweep } from './arm-sweep.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { startRecovery } from './recovery.ts';
import { updateJob } from './update-job.ts';

/** A flow's own timeout comes first; only what died is ended by others. */
const deadlineGraceMs = 5_000;
const startsMax = 5;

/** At most 80 characters, as Step Functions wants it. */
export function checkpointFlowName(record: JobRecord, sourcesEnded: boolean): string {
  const life = record.createdAtMs.toString(36);
  return `chk-${record.job}-${life}-${record.attempt}-${answeredEpoch(record)}-${mutated('name-without-try') ? 0 : record.try}${sourcesEnded ? '-end' : ''}`;
}

/** Whether the execution was started for what is due now: a completion, an abort, a restore and other settings have made its work another's. */
export function isCurrentFlow(record: JobRecord, flow: string): boolean {
  return [false, true].some((sourcesEnded) => checkpointFlowName(record, sourcesEnded) === flow);
}

/** `quietBefore`: called for a change after which nothing was due before it. */
export async function startWhenDue(deps: CoordinatorDeps, seen: JobRecord, quietBefore: boolean): Promise<void> {
  let record = await abortExpired(deps, seen);
  for (let starts = 0; starts < startsMax; starts++) {
    const { settings, plan } = await readPlan(deps, record.plan);
    if (needsRestore(record, settings.tolerableFailures)) return void (await startRecovery(deps, record));
    const nowMs = deps.clock.now();
    const facts: TriggerFacts = { record, settings, sourcesEnded: allSourcesEnded(plan, record.ended), nowMs };
    const { decision } = decideTrigger(facts);
    // At the limit the end of a pending one leads back here.
    if (decision === 'idle' || record.pending.length >= settings.maxConcurrent) return;
    record = await armSweep(deps, record);
    const name = checkpointFlowName(record, facts.sourcesEnded);
    const input = {
      job: record.job,
      attempt: record.attempt,
      dueAt: new Date(triggerTime(facts, quietBefore)).toISOString(),
      timeoutSeconds: Math.ceil(settings.timeoutMs / 1_000),
    };
    if ((await deps.flows.start('checkpoint', name, input)) === 'started' || (await deps.flows.isRunning(name))) return;
    const stale = { attempt: record.attempt, try: record.try };
    record = (await updateJob(deps, record.job, (current) => nextTry(current, stale, null, deps.clock.now()))).record;
  }
}

/** A pending checkpoint whose deadline has long passed has lost its flow. */
async function abortExpired(deps: CoordinatorDeps, record: JobRecord): Promise<JobRecord> {
  const nowMs = deps.clock.now();
  const expired = expiredCheckpoint(record, nowMs - deadlineGraceMs);
  if (expired === undefined || expired.kind === 'stop-savepoint') return record;
  return (
    await updateJob(deps, record.job, (current) => abortCheckpoint(current, expired.id, 'CHECKPOINT_EXPIRED', nowMs), 'CHECKPOINT_EXPIRED')
  ).record;
}
