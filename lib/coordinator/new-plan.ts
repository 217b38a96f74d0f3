/** A plan that a job is to go on with, and everything that belongs to it. Its object is stored before anything names it. */
import type { JobId } from '../base/ids.ts';
import type { CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import type { RestartStrategy } from '../checkpoint/restart-strategy.ts';
import { encodeStoredPlan } from '../checkpoint/stored-plan.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';

export interface NewPlan {
  readonly plan: JobPlan;
  readonly planHash: string;
  readonly settings: CheckpointSettings;
  readonly given?: CheckpointSettings;
  readonly restart?: RestartStrategy;
  readonly code?: string;
}

export async function storePlan(deps: CoordinatorDeps, job: JobId, newPlan: NewPlan): Promise<string> {
  const { key, bytes } = encodeStoredPlan(job, newPlan);
  await deps.objects.createIfAbsent(key, bytes);
  return key;
}
