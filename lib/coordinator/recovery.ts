/**
 * The job goes back to its newest whole checkpoint by itself: more checkpoints failed than are borne, or an object is missing that a record names.
 *
 * RV1. One recovery at a time per attempt, whoever notices: its name says so. One that died is followed by another.
 * RV2. A missing object takes the job back at most so many times without a checkpoint in between: what is lost again and again is no accident.
 */
import { jobFailed } from './fail-job.ts';
import { operatorUid } from '../base/ids.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { OperationRecord } from '../ports/records.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { requestOperation } from './operation-log.ts';
import { newestOf, type CheckpointRequest, type Recovery } from './restore-request.ts';

/** Where no shard has reported it. */
export const coordinatorItself = operatorUid('coordinator');

const triesMax = 10;
const inARowMax = 3;

/** `gave-up`: as often as is borne. */
export async function startRecovery(
  deps: CoordinatorDeps,
  record: JobRecord,
  recovery: Recovery = { cause: null, inARow: 0 },
): Promise<'under-way' | 'gave-up'> {
  for (let tries = 0; tries < triesMax; tries++) {
    const request: CheckpointRequest = { ...newestOf(record), checkpoint: 'whole', recovery };
    const trigger = triggerOf(record, record.attempt, tries);
    const operation = await requestOperation(deps, 'restore', { job: record.job, trigger, kind: 'restore', request: { ...request } }, {});
    if (operation.status === 'IN_PROGRESS') return 'under-way';
  }
  return 'gave-up';
}

/** What design calls a missing object: a restart, not the end of the job. */
export async function recoverFromLoss(
  deps: CoordinatorDeps,
  record: JobRecord,
  cause: JobFailure,
): Promise<'failed' | 'superseded' | 'under-way'> {
  const inARow = (await lossesInARow(deps, record)) + 1;
  if (inARow > inARowMax) {
    const message = `${cause.message}; ${inARowMax} restores in a row have met missing objects, and no checkpoint came in between`;
    return jobFailed(deps, record, { ...cause, message });
  }
  deps.logger.log('warn', `job ${record.job} goes back to its newest whole checkpoint: ${cause.message}`, { operator: cause.operator });
  const started = await startRecovery(deps, record, { cause, inARow });
  return started === 'under-way' ? started : jobFailed(deps, record, cause);
}

/** The recovery that began this attempt says how many came before it; a checkpoint of the attempt's own ends the row. */
async function lossesInARow(deps: CoordinatorDeps, record: JobRecord): Promise<number> {
  if (record.completed >= record.firstEpoch) return 0;
  for (let tries = triesMax - 1; tries >= 0; tries--) {
    const before: OperationRecord | undefined = await deps.operations.read(record.job, triggerOf(record, record.attempt - 1, tries));
    if (before === undefined || before.failure !== null) continue;
    return (before.request as unknown as CheckpointRequest).recovery?.inARow ?? 0;
  }
  return 0;
}

function triggerOf({ createdAtMs }: JobRecord, attempt: number, tries: number): string {
  return `recovery-${createdAtMs.toString(36)}-${attempt}-${tries}`;
}
