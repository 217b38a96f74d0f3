/** The job goes back to its newest completed checkpoint by itself: more checkpoints failed than are borne. */
import type { JobRecord } from '../model/job-record.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { requestOperation } from './operation-log.ts';
import { newestOf, type RestoreRequest } from './restore-request.ts';

const triesMax = 10;

/** One at a time per attempt, whoever notices: the name says so. One that died is followed by another. */
export async function startRecovery(deps: CoordinatorDeps, record: JobRecord): Promise<void> {
  for (let tries = 0; tries < triesMax; tries++) {
    const trigger = `recovery-${record.createdAtMs.toString(36)}-${record.attempt}-${tries}`;
    const request: RestoreRequest = newestOf(record);
    const operation = await requestOperation(deps, 'restore', { job: record.job, trigger, kind: 'restore', request: { ...request } }, {});
    if (operation.status === 'IN_PROGRESS') return;
  }
}
