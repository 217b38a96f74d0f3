/**
 * What a deployment does to its job, at its beginning and as its last act.
 *
 * DE1. The check comes before anything of the running job is touched, and names every reason at once.
 * DE2. A deployment that changes plan or code ends with a restore of the newest completed checkpoint under the new plan: until then functions of the new code
 *      leave messages where they are, and from then on those of the old one do.
 * DE3. That checkpoint stays held for as long as the deployment may be rolled back: the rollback is a deployment of the old plan, which goes back to the
 *      newest checkpoint that it can read.
 * DE4. A first deployment starts the job; one of a job that has ended does not: a person decides from where it goes on.
 */
import { SluiceError } from '../base/errors.ts';
import type { CheckpointId, JobId } from '../base/ids.ts';
import { isTerminal } from '../checkpoint/job-status.ts';
import { encodeStoredPlan } from '../checkpoint/stored-plan.ts';
import type { JobRecord, JobStatus } from '../model/job-record.ts';
import { readTarget } from './check-restore.ts';
import { changeSettings } from './change-settings.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { newestOf } from './restore-request.ts';
import { restoreCheckpoint } from './restore-requests.ts';
import type { NewPlan } from './new-plan.ts';
import { startJob } from './start-job.ts';

export interface Deployment {
  readonly job: JobId;
  readonly newPlan: NewPlan;
  readonly allowNonRestoredState: boolean;
}

export type DeploymentCheck =
  | { readonly kind: 'starts' }
  /** Neither plan nor code changes. */
  | { readonly kind: 'goes-on' }
  | { readonly kind: 'ended'; readonly status: JobStatus }
  | { readonly kind: 'restores'; readonly checkpoint: CheckpointId | 'newest' };

/** Longest that CloudFormation works on a stack before it gives up, with room to spare. */
const holdMs = 6 * 3_600_000;

/** DE1. @throws SluiceError `SLUICE-REFUSED` */
export async function checkDeployment(deps: CoordinatorDeps, deployment: Deployment): Promise<DeploymentCheck> {
  const record = await deps.jobs.read(deployment.job);
  if (record === undefined) return { kind: 'starts' };
  if (isTerminal(record.status)) return { kind: 'ended', status: record.status };
  if (record.planHash === deployment.newPlan.planHash) return { kind: 'goes-on' };
  return { kind: 'restores', checkpoint: await readableCheckpoint(deps, record, deployment) };
}

/** DE2 to DE4. What it begins goes on by itself: a restore's operation is looked at under `trigger`. */
export async function deploy(deps: CoordinatorDeps, deployment: Deployment, trigger: string): Promise<DeploymentCheck> {
  const { job, newPlan, allowNonRestoredState } = deployment;
  const check = await checkDeployment(deps, deployment);
  if (check.kind === 'starts') await startJob(deps, { job, name: newPlan.plan.name, ...newPlan });
  if (check.kind === 'goes-on') {
    const { settings, given = settings, restart } = newPlan;
    await changeSettings(deps, job, () => ({ settings, given, ...(restart === undefined ? {} : { restart }) }));
  }
  if (check.kind === 'restores') {
    const { checkpoint } = check;
    const order = { job, trigger, checkpoint, publishedSeen: null, newPlan, holdMs, allowNonRestoredState, allowOtherJob: true };
    await restoreCheckpoint(deps, order);
  }
  return check;
}

/** The newest; where the plan cannot read that one, what an earlier deployment holds for its rollback. */
async function readableCheckpoint(deps: CoordinatorDeps, record: JobRecord, deployment: Deployment): Promise<CheckpointId | 'newest'> {
  try {
    await readUnder(deps, record, deployment, 'newest');
    return 'newest';
  } catch (refusal) {
    if (!(refusal instanceof SluiceError && refusal.code === 'SLUICE-REFUSED')) throw refusal;
    const held = record.pins.find(({ untilMs }) => untilMs !== undefined);
    if (held === undefined) throw refusal;
    await readUnder(deps, record, deployment, held.checkpoint);
    return held.checkpoint;
  }
}

async function readUnder(
  deps: CoordinatorDeps,
  record: JobRecord,
  { job, newPlan, allowNonRestoredState }: Deployment,
  checkpoint: CheckpointId | 'newest',
): Promise<void> {
  const { key, bytes } = encodeStoredPlan(job, newPlan);
  await deps.objects.createIfAbsent(key, bytes);
  const { keepsPlan: _, ...newest } = newestOf(record);
  const request = { ...newest, plan: key, planHash: newPlan.planHash, checkpoint, allowNonRestoredState, allowOtherJob: true };
  const target = await readTarget(deps, record, request);
  if (target !== null || record.completed === 0) return;
  const { plan } = await readPlan(deps, key);
  throw new SluiceError('SLUICE-REFUSED', `job ${record.name} has no checkpoint from which ${plan.name} could go on`, {
    hint: 'Wait for its next checkpoint, or stop it with a savepoint and restore that.',
    facts: { job },
  });
}
