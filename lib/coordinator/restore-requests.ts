/** What people ask of restores: another checkpoint of this job, or a new job from a savepoint. The plan is stored first, the flow's data stays small. */
import type { CheckpointId, JobId } from '../base/ids.ts';
import type { CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import type { CompatibilityOptions } from '../checkpoint/compatibility.ts';
import type { RestartStrategy } from '../checkpoint/restart-strategy.ts';
import { encodeStoredPlan } from '../checkpoint/stored-plan.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { OperationRecord } from '../ports/records.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { requestOperation } from './operation-log.ts';
import { newestOf, type RestoreRequest } from './restore-request.ts';
import { readJob } from './update-job.ts';

export interface NewPlan {
  readonly plan: JobPlan;
  readonly planHash: string;
  readonly settings: CheckpointSettings;
  readonly given?: CheckpointSettings;
  readonly restart?: RestartStrategy;
  readonly code?: string;
}

interface RestoreOrder extends CompatibilityOptions {
  readonly job: JobId;
  readonly trigger: string;
}

/** Without a plan the job goes on with the one it has. */
export async function restoreCheckpoint(
  deps: CoordinatorDeps,
  order: RestoreOrder & {
    readonly checkpoint: CheckpointId | 'newest';
    readonly publishedSeen: CheckpointId | null;
    readonly newPlan: NewPlan | null;
    readonly holdMs?: number;
  },
): Promise<OperationRecord> {
  const { job, trigger, checkpoint, publishedSeen, newPlan, holdMs, allowNonRestoredState, allowOtherJob } = order;
  const hold = holdMs === undefined ? {} : { holdMs };
  const record = await readJob(deps, job);
  const { keepsPlan, ...newest } = newestOf(record);
  const plan = newPlan === null ? { keepsPlan } : { plan: await storePlan(deps, job, newPlan), planHash: newPlan.planHash };
  const request: RestoreRequest = { ...newest, ...plan, ...hold, checkpoint, publishedSeen, allowNonRestoredState, allowOtherJob };
  return requestOperation(deps, 'restore', { job, trigger, kind: 'restore', request: { ...request } }, {});
}

/** The job itself goes back to it, whoever's savepoint it is: queues and functions stay, as a deployment needs it. */
export async function restoreToSavepoint(
  deps: CoordinatorDeps,
  order: RestoreOrder & { readonly location: string; readonly publishedSeen: CheckpointId | null; readonly newPlan: NewPlan | null },
): Promise<OperationRecord> {
  const { job, trigger, location, publishedSeen, newPlan, allowNonRestoredState, allowOtherJob } = order;
  const { name, attempt, plan, planHash } = await readJob(deps, job);
  const request: RestoreRequest = {
    from: 'savepoint',
    location,
    name,
    attempt,
    publishedSeen,
    ...(newPlan === null ? { plan, planHash, keepsPlan: true } : { plan: await storePlan(deps, job, newPlan), planHash: newPlan.planHash }),
    allowNonRestoredState,
    allowOtherJob,
  };
  return requestOperation(deps, 'restore', { job, trigger, kind: 'restore', request: { ...request } }, {});
}

/** `job` is the id of the job that is to be. */
export async function restoreSavepoint(
  deps: CoordinatorDeps,
  order: RestoreOrder & { readonly location: string; readonly newPlan: NewPlan },
): Promise<OperationRecord> {
  const { job, trigger, location, newPlan, allowNonRestoredState, allowOtherJob } = order;
  const request: RestoreRequest = {
    from: 'savepoint',
    location,
    name: newPlan.plan.name,
    plan: await storePlan(deps, job, newPlan),
    planHash: newPlan.planHash,
    allowNonRestoredState,
    allowOtherJob,
  };
  return requestOperation(deps, 'restore', { job, trigger, kind: 'restore', request: { ...request } }, {});
}

async function storePlan(deps: CoordinatorDeps, job: JobId, newPlan: NewPlan): Promise<string> {
  const { key, bytes } = encodeStoredPlan(job, newPlan);
  await deps.objects.createIfAbsent(key, bytes);
  return key;
}
