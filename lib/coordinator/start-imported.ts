/**
 * Step: from what was imported the job begins, or goes on: one write.
 *
 * IC1. Before that write the operation says that it will be made, and from then on it is not given up: whoever gives an operation up says so first, and removes
 *      what was imported only then. So no zombie makes a job of what has been removed.
 * IC2. A job that has gone another way meanwhile never takes the import, whoever tries, because attempts and what is published only rise: then the operation
 *      may be given up after all.
 * IC3. A sweep is armed in the record that the write changes, as at every switch (switch-restore.ts, SW4).
 */
import { SluiceError } from '../base/errors.ts';
import type { Attempt } from '../base/ids.ts';
import { checkCompatibility } from '../checkpoint/compatibility.ts';
import { restoreImport, type ImportRefusal } from '../checkpoint/import-restoration.ts';
import { encodeDescriptor } from '../checkpoint/manifest-codec.ts';
import { adoptMaxParallelism } from '../checkpoint/shard-start.ts';
import { encodeStoredPlan } from '../checkpoint/stored-plan.ts';
import { refused } from '../checkpoint/transition.ts';
import { descriptorKey } from '../model/object-keys.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { OperationRecord } from '../ports/records.ts';
import { snapshotOf } from '../savepoint/check-savepoint.ts';
import type { ImportTarget } from '../savepoint/import-target.ts';
import { openSavepoint } from '../savepoint/open-savepoint.ts';
import type { SavepointMetadata } from '../savepoint/savepoint-metadata.ts';
import { armSweep } from './arm-sweep.ts';
import { restoreRefused } from './check-restore.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { importTarget, storeImported } from './import-savepoint.ts';
import { readOperation, updateOperation, type OperationInput } from './operation-log.ts';
import { publishCompleted } from './publish-parts.ts';
import type { SavepointRequest } from './restore-request.ts';
import { startJob } from './start-job.ts';
import { readJob, updateJob } from './update-job.ts';

const firstAttempt: Attempt = 1;
const starting = 'starting';
/** Checkpoints may be numbered and complete meanwhile. */
const triesMax = 20;

interface Imported {
  readonly request: SavepointRequest;
  readonly metadata: SavepointMetadata;
  readonly target: ImportTarget;
  readonly progress: OperationRecord['progress'];
}

export async function startImported(deps: CoordinatorDeps, input: OperationInput): Promise<{ readonly attempt: Attempt }> {
  const operation = await readOperation(deps, input);
  const request = operation.request as unknown as SavepointRequest;
  const metadata = await openSavepoint(deps.savepoints.at(request.location));
  const imported = { request, metadata, target: importTarget(input, request), progress: operation.progress };
  return request.attempt === undefined ? startNew(deps, input, imported) : goOnFrom(deps, input, imported, request.attempt);
}

/** The job begins to exist with everything that it starts from. */
async function startNew(deps: CoordinatorDeps, input: OperationInput, imported: Imported): Promise<{ readonly attempt: Attempt }> {
  const { request, metadata, target } = imported;
  const { name, planHash } = request;
  const { plan, settings, restart } = await readPlan(deps, request.plan);
  const { checkpoint } = metadata;
  const manifest = await storeImported(deps, metadata, target, checkpoint);
  const descriptor = await storeDescriptor(deps, input, imported, { attempt: firstAttempt, checkpoint, manifest, plan: request.plan });
  const adopted = adoptMaxParallelism(plan, metadata);
  const from = { checkpoint, manifest, descriptor };
  await claimStart(deps, input);
  await startJob(deps, { job: input.job, name, plan: adopted, planHash, settings, ...(restart === undefined ? {} : { restart }), from });
  return { attempt: firstAttempt };
}

/** The job that there is gives up its attempt and goes on from the savepoint. */
async function goOnFrom(
  deps: CoordinatorDeps,
  input: OperationInput,
  imported: Imported,
  fromAttempt: Attempt,
): Promise<{ readonly attempt: Attempt }> {
  const { request, target } = imported;
  const attempt = fromAttempt + 1;
  let reason: ImportRefusal | 'unguarded' = 'superseded';
  let record = await armSweep(deps, await readJob(deps, input.job));
  for (let tries = 0; tries < triesMax; tries++) {
    // The namespace is this restore's own: whoever tried, and whatever came after.
    if (record.space === target.space) return { attempt };
    const prepared = await prepare(deps, input, imported, record, attempt);
    await claimStart(deps, input);
    const restoration = { ...prepared, fromAttempt, space: target.space, publishedSeen: request.publishedSeen ?? null };
    const updated = await updateJob<ImportRefusal | 'unguarded'>(deps, input.job, (now) =>
      now.sweepAtMs === 0 ? refused('unguarded') : restoreImport(now, restoration, deps.clock.now()),
    );
    if (updated.outcome !== 'refused') return { attempt };
    ({ reason, record } = updated);
    if (isFinal(reason)) break;
    if (reason === 'unguarded') record = await armSweep(deps, record);
    if (reason === 'publication-pending') record = await publishCompleted(deps, input.job);
  }
  if (record.space === target.space) return { attempt };
  // With the steps that there are: fewer of them would say that it is older news.
  if (isFinal(reason)) await updateOperation(deps, input, { progress: { ...imported.progress, [starting]: false } });
  throw restoreRefused(record, [refusalText[reason]]);
}

/** IC2. */
function isFinal(reason: ImportRefusal | 'unguarded'): boolean {
  return reason === 'superseded' || reason === 'published-changed';
}

const refusalText: Readonly<Record<ImportRefusal | 'unguarded', string>> = {
  superseded: 'another restore came first',
  'number-taken': 'checkpoints keep being numbered',
  'published-changed': 'more output has been published since the preview',
  'publication-pending': 'the output of its checkpoints is still being published',
  'status-forbids': 'its status does not allow it now',
  'settings-changed': 'its settings keep changing',
  unguarded: 'it keeps coming to rest',
};

async function prepare(deps: CoordinatorDeps, input: OperationInput, imported: Imported, record: JobRecord, attempt: Attempt) {
  const { request, metadata, target } = imported;
  const checkpoint = record.numbered + 1;
  const kept = request.keepsPlan === true ? { planSeen: record.plan } : {};
  const wanted = await readPlan(deps, kept.planSeen ?? request.plan);
  const plan = encodeStoredPlan(record.job, { ...wanted, plan: adoptMaxParallelism(wanted.plan, metadata) });
  await deps.objects.createIfAbsent(plan.key, plan.bytes);
  const manifest = await storeImported(deps, metadata, target, checkpoint);
  const descriptor = await storeDescriptor(deps, input, imported, { attempt, checkpoint, manifest, plan: plan.key });
  return { checkpoint, manifest, descriptor, plan: plan.key, planHash: request.planHash, ...kept };
}

interface Beginning {
  readonly attempt: Attempt;
  readonly checkpoint: number;
  readonly manifest: string;
  /** Object of the plan that goes on. */
  readonly plan: string;
}

async function storeDescriptor(
  deps: CoordinatorDeps,
  { job, trigger }: OperationInput,
  { request, metadata }: Imported,
  { attempt, checkpoint, manifest, plan: planKey }: Beginning,
): Promise<string> {
  const { plan } = await readPlan(deps, planKey);
  const { dropped } = checkCompatibility(snapshotOf(metadata), plan, request);
  const key = descriptorKey(job, attempt, `${trigger}-${checkpoint}`);
  await deps.objects.createIfAbsent(key, encodeDescriptor({ format: 1, job, attempt, checkpoint, manifest, dropped }));
  return key;
}

/** IC1. @throws SluiceError `SLUICE-REFUSED` where the restore has been given up */
async function claimStart(deps: CoordinatorDeps, input: OperationInput): Promise<void> {
  const { failure } = await updateOperation(deps, input, { progress: { [starting]: true } });
  if (failure === null) return;
  throw new SluiceError('SLUICE-REFUSED', `the restore has been given up: ${failure.message}`, {
    hint: 'Try again.',
    facts: { job: input.job, trigger: input.trigger },
  });
}

export function isStarting({ progress }: OperationRecord): boolean {
  return progress[starting] === true;
}
