/**
 * Step: the one write that gives up an attempt and begins the next.
 *
 * SW1. The descriptor and the plan exist before the record names them. The descriptor's name is made of what it says, so a second try of this step finds
 *      its own write by it.
 * SW2. The plan adopts the snapshot's max parallelism where it derived its own.
 * SW3. A job that keeps its plan keeps the settings that it has at the switch, whatever they were when the restore was asked for.
 * SW4. A sweep is armed in the record that the write changes: what the switch leaves to be done is done, whoever dies, and whatever the flow is told.
 */
import { mutated } from '../base/mutated.ts';
import type { Attempt, CheckpointId } from '../base/ids.ts';
import { encodeDescriptor } from '../checkpoint/manifest-codec.ts';
import { restore, type Restoration, type RestoreRefusal } from '../checkpoint/restoration.ts';
import { newestRetained } from '../checkpoint/retention.ts';
import { adoptMaxParallelism } from '../checkpoint/shard-start.ts';
import { refused } from '../checkpoint/transition.ts';
import { encodeStoredPlan } from '../checkpoint/stored-plan.ts';
import type { JobRecord } from '../model/job-record.ts';
import { descriptorKey } from '../model/object-keys.ts';
import { armSweep } from './arm-sweep.ts';
import { readTarget, restoreRefused } from './check-restore.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, type OperationInput } from './operation-log.ts';
import { publishCompleted } from './publish-parts.ts';
import type { CheckpointRequest } from './restore-request.ts';
import { readJob, updateJob } from './update-job.ts';

type SwitchRefusal = RestoreRefusal | 'unguarded';

/** Checkpoints may complete while one is being chosen. */
const triesMax = 20;

export async function switchRestore(deps: CoordinatorDeps, input: OperationInput): Promise<{ readonly attempt: Attempt }> {
  const { request } = await readOperation(deps, input);
  return switchTo(deps, await readJob(deps, input.job), request as unknown as CheckpointRequest, input.trigger);
}

export async function switchTo(
  deps: CoordinatorDeps,
  record: JobRecord,
  request: CheckpointRequest,
  trigger: string,
): Promise<{ readonly attempt: Attempt }> {
  const attempt = request.attempt + 1;
  let reason: SwitchRefusal = 'superseded';
  let current = await armSweep(deps, record);
  for (let tries = 0; tries < triesMax; tries++) {
    if (isOurs(current, request, trigger)) return { attempt };
    if (current.attempt !== request.attempt) break;
    const kept = request.keepsPlan === true ? { plan: current.plan } : {};
    const prepared = await prepare(deps, current, { ...request, ...kept }, attempt, trigger);
    const restoration = { ...prepared, fromAttempt: request.attempt, ...(kept.plan === undefined ? {} : { planSeen: kept.plan }) };
    const updated = await updateJob<SwitchRefusal>(deps, record.job, (now) =>
      isUnguarded(now) ? refused('unguarded') : restore(now, restoration, deps.clock.now()),
    );
    if (updated.outcome !== 'refused') return { attempt };
    ({ reason, record: current } = updated);
    if (reason === 'unguarded') current = await armSweep(deps, current);
    else if (reason === 'publication-pending') current = await publishCompleted(deps, record.job);
    else if (!choosesAgain(request, reason)) break;
  }
  throw restoreRefused(record, [refusalText[reason]]);
}

function isUnguarded({ sweepAtMs }: JobRecord): boolean {
  return sweepAtMs === 0;
}

/** What recovery had chosen is not right any more: something has completed, or been published, or retired meanwhile. */
function choosesAgain({ checkpoint }: CheckpointRequest, reason: SwitchRefusal): boolean {
  // By another try of this very step, perhaps, which then is ours.
  if (reason === 'superseded' || reason === 'settings-changed') return true;
  if (checkpoint === 'whole') return reason === 'not-newest' || reason === 'not-retained' || reason === 'published-changed';
  return checkpoint === 'newest' && reason === 'not-newest';
}

const refusalText: Readonly<Record<SwitchRefusal, string>> = {
  superseded: 'another restore came first',
  'not-retained': 'the checkpoint is no longer retained',
  'not-newest': 'newer checkpoints keep completing',
  'published-changed': 'more output has been published since the preview',
  'publication-pending': 'the output of newer checkpoints is still being published',
  'status-forbids': 'its status does not allow it',
  'settings-changed': 'its settings keep changing',
  unguarded: 'it keeps coming to rest',
};

/** The descriptor names the trigger; a job without one was restored from nothing, by anybody: to the same effect where the plan is the same. */
function isOurs(record: JobRecord, request: CheckpointRequest, trigger: string): boolean {
  const attempt = request.attempt + 1;
  if (record.attempt !== attempt) return false;
  if (record.descriptor === null && mutated('anybodys-restore')) return true;
  if (record.descriptor === null)
    return (request.keepsPlan === true || record.plan === request.plan) && record.planHash === request.planHash;
  return record.descriptor.startsWith(descriptorKey(record.job, attempt, `${trigger}-`));
}

function wantedOf(record: JobRecord, request: CheckpointRequest, found: CheckpointId | null): Restoration['wanted'] {
  if (typeof request.checkpoint === 'number') return { kind: 'chosen', publishedSeen: request.publishedSeen };
  if (request.checkpoint === 'newest' || found === (newestRetained(record)?.id ?? null)) return { kind: 'newest' };
  return { kind: 'chosen', publishedSeen: record.published };
}

async function prepare(deps: CoordinatorDeps, record: JobRecord, request: CheckpointRequest, attempt: Attempt, trigger: string) {
  const target = await readTarget(deps, record, request);
  const wanted = wantedOf(record, request, target?.manifest.checkpoint ?? null);
  const { planHash, holdMs } = request;
  const pin = holdMs === undefined ? {} : { pin: { flow: `deployment-${trigger}`, untilMs: deps.clock.now() + holdMs } };
  if (target === null) return { checkpoint: null, wanted, descriptor: null, plan: request.plan, planHash };
  const { manifest, key, report } = target;
  const descriptor = descriptorKey(record.job, attempt, `${trigger}-${manifest.checkpoint}`);
  const content = { format: 1, job: record.job, attempt, checkpoint: manifest.checkpoint, manifest: key, dropped: report.dropped } as const;
  await deps.objects.createIfAbsent(descriptor, encodeDescriptor(content));
  const wantedPlan = await readPlan(deps, request.plan);
  const adopted = encodeStoredPlan(record.job, { ...wantedPlan, plan: adoptMaxParallelism(wantedPlan.plan, manifest) });
  await deps.objects.createIfAbsent(adopted.key, adopted.bytes);
  return { checkpoint: manifest.checkpoint, wanted, descriptor, plan: adopted.key, planHash, ...pin };
}
