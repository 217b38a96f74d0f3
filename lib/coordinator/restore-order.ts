/** What a restore is asked for, as the operation that it becomes: by a person, by a deployment, or by the state machine itself. */
import type { CheckpointId, JobId } from '../base/ids.ts';
import type { CompatibilityOptions } from '../checkpoint/compatibility.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { storePlan, type NewPlan } from './new-plan.ts';
import type { OperationRequest } from './operation-log.ts';
import { newestOf, type RestoreRequest } from './restore-request.ts';
import { readJob } from './update-job.ts';

interface RestoreOrder extends CompatibilityOptions {
  readonly job: JobId;
  readonly trigger: string;
}

export interface CheckpointOrder extends RestoreOrder {
  readonly checkpoint: CheckpointId | 'newest';
  readonly publishedSeen: CheckpointId | null;
  /** null: the job goes on with the one it has. */
  readonly newPlan: NewPlan | null;
  readonly holdMs?: number;
}

export interface SavepointOrder extends RestoreOrder {
  readonly location: string;
  readonly publishedSeen: CheckpointId | null;
  readonly newPlan: NewPlan | null;
}

export async function checkpointRestore(deps: CoordinatorDeps, order: CheckpointOrder): Promise<OperationRequest> {
  const { checkpoint, publishedSeen, newPlan, holdMs, allowNonRestoredState, allowOtherJob } = order;
  const { keepsPlan: _, ...newest } = newestOf(await readJob(deps, order.job));
  const hold = holdMs === undefined ? {} : { holdMs };
  const plan = await planOf(deps, order.job, newest, newPlan);
  return operationOf(order, { ...newest, ...plan, ...hold, checkpoint, publishedSeen, allowNonRestoredState, allowOtherJob });
}

export async function savepointRestore(deps: CoordinatorDeps, order: SavepointOrder): Promise<OperationRequest> {
  const { location, publishedSeen, newPlan, allowNonRestoredState, allowOtherJob } = order;
  const { name, attempt, ...record } = await readJob(deps, order.job);
  const plan = await planOf(deps, order.job, record, newPlan);
  return operationOf(order, { from: 'savepoint', location, name, attempt, publishedSeen, ...plan, allowNonRestoredState, allowOtherJob });
}

function operationOf({ job, trigger }: RestoreOrder, request: RestoreRequest): OperationRequest {
  return { job, trigger, kind: 'restore', request: { ...request } };
}

type PlanToGoOnWith = Pick<RestoreRequest, 'plan' | 'planHash' | 'keepsPlan'>;

async function planOf(
  deps: CoordinatorDeps,
  job: JobId,
  { plan, planHash }: PlanToGoOnWith,
  newPlan: NewPlan | null,
): Promise<PlanToGoOnWith> {
  return newPlan === null ? { plan, planHash, keepsPlan: true } : { plan: await storePlan(deps, job, newPlan), planHash: newPlan.planHash };
}
