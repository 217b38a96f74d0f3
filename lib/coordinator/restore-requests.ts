/** What people ask of restores: another checkpoint of this job, a savepoint for this job, or a new job from a savepoint. */
import type { OperationRecord } from '../ports/records.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { storePlan, type NewPlan } from './new-plan.ts';
import { requestOperation } from './operation-log.ts';
import { checkpointRestore, savepointRestore, type CheckpointOrder, type SavepointOrder } from './restore-order.ts';
import type { RestoreRequest } from './restore-request.ts';

export async function restoreCheckpoint(deps: CoordinatorDeps, order: CheckpointOrder): Promise<OperationRecord> {
  return requestOperation(deps, 'restore', await checkpointRestore(deps, order), {});
}

/** The job itself goes back to it, whoever's savepoint it is: queues and functions stay, as a deployment needs it. */
export async function restoreToSavepoint(deps: CoordinatorDeps, order: SavepointOrder): Promise<OperationRecord> {
  return requestOperation(deps, 'restore', await savepointRestore(deps, order), {});
}

/** `job` is the id of the job that is to be. */
export async function restoreSavepoint(
  deps: CoordinatorDeps,
  order: Omit<SavepointOrder, 'publishedSeen'> & { readonly newPlan: NewPlan },
): Promise<OperationRecord> {
  const { job, trigger, location, newPlan, allowNonRestoredState, allowOtherJob } = order;
  const plan = { plan: await storePlan(deps, job, newPlan), planHash: newPlan.planHash };
  const request: RestoreRequest = { from: 'savepoint', location, name: newPlan.plan.name, ...plan, allowNonRestoredState, allowOtherJob };
  return requestOperation(deps, 'restore', { job, trigger, kind: 'restore', request: { ...request } }, {});
}
