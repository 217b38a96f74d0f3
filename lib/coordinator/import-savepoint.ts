/**
 * Steps: a savepoint into the namespace of a job that does not run yet, file by file, for as long as a step may take; then the job's start, one write.
 * A failed import changes nothing for anybody (rules IM1–IM4 in lib/savepoint/import-savepoint.ts).
 *
 * IC1. Before the job is made the operation says that it will be, and from then on it is not given up: whoever gives an operation up says so first, and removes
 *      what was imported only then. So no zombie makes a job of what has been removed.
 */
import { SluiceError } from '../base/errors.ts';
import type { Attempt } from '../base/ids.ts';
import { checkCompatibility } from '../checkpoint/compatibility.ts';
import { encodeDescriptor, encodeManifest } from '../checkpoint/manifest-codec.ts';
import { adoptMaxParallelism } from '../checkpoint/shard-start.ts';
import { descriptorKey, manifestKey } from '../model/object-keys.ts';
import type { SinkPart } from '../model/shard-record.ts';
import type { PartName } from '../ports/connectors.ts';
import type { OperationRecord } from '../ports/records.ts';
import { importAttempt, importedManifest, importUnit, importUnits } from '../savepoint/import-savepoint.ts';
import { snapshotOf } from '../savepoint/check-savepoint.ts';
import { openSavepoint } from '../savepoint/open-savepoint.ts';
import type { SavepointMetadata } from '../savepoint/savepoint-metadata.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, updateOperation, type OperationInput } from './operation-log.ts';
import { committerOf } from './publish-parts.ts';
import type { SavepointRequest } from './restore-request.ts';
import { startJob } from './start-job.ts';

const firstAttempt: Attempt = 1;
const starting = 'starting';

export async function importSavepoint(deps: CoordinatorDeps, input: OperationInput): Promise<{ readonly done: boolean }> {
  const operation = await readOperation(deps, input);
  const { location } = operation.request as unknown as SavepointRequest;
  const folder = deps.savepoints.at(location);
  const metadata = await openSavepoint(folder);
  const units = importUnits(metadata);
  const stagePart = async (part: SinkPart, bytes: Uint8Array): Promise<void> => {
    const { sink, committer } = committerOf(deps, metadata.plan, part.operator);
    await committer.importPart(sink, partName(input, part), part, bytes);
  };
  const begunAt = deps.clock.monotonic();
  let next = Number(operation.progress['next'] ?? 0);
  for (; next < units.length && deps.clock.monotonic() - begunAt < deps.stepMs; next++) {
    await importUnit({ folder, base: deps.base, objects: deps.objects, stagePart }, input.job, metadata, units[next]!);
  }
  await updateOperation(deps, input, { progress: { next, units: units.length } });
  return { done: next === units.length };
}

/** The job begins to exist with everything that it starts from. */
export async function startImported(deps: CoordinatorDeps, input: OperationInput): Promise<{ readonly attempt: Attempt }> {
  const { request } = await readOperation(deps, input);
  const { location, name, plan: planKey, planHash, ...options } = request as unknown as SavepointRequest;
  const metadata = await openSavepoint(deps.savepoints.at(location));
  const { plan, settings, restart } = await readPlan(deps, planKey);
  const manifest = await storeManifest(deps, input, metadata);
  const { dropped } = checkCompatibility(snapshotOf(metadata), plan, options);
  const { checkpoint } = metadata;
  const descriptor = descriptorKey(input.job, firstAttempt, `${input.trigger}-${checkpoint}`);
  const content = { format: 1, job: input.job, attempt: firstAttempt, checkpoint, manifest, dropped } as const;
  await deps.objects.createIfAbsent(descriptor, encodeDescriptor(content));
  const adopted = adoptMaxParallelism(plan, metadata);
  const from = { checkpoint, manifest, descriptor };
  await claimStart(deps, input);
  await startJob(deps, { job: input.job, name, plan: adopted, planHash, settings, ...(restart === undefined ? {} : { restart }), from });
  return { attempt: firstAttempt };
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

async function storeManifest(deps: CoordinatorDeps, input: OperationInput, metadata: SavepointMetadata): Promise<string> {
  const place = (part: SinkPart): SinkPart => {
    const { sink, committer } = committerOf(deps, metadata.plan, part.operator);
    return { ...part, staged: committer.locate(sink, partName(input, part)).staged };
  };
  const key = manifestKey(input.job, importAttempt, metadata.checkpoint);
  await deps.objects.createIfAbsent(key, encodeManifest(importedManifest(metadata, input.job, place, deps.clock.now())));
  return key;
}

function partName({ job }: OperationInput, { operator, checkpoint, shard, number }: SinkPart): PartName {
  return { job, attempt: importAttempt, operator, checkpoint, shard, number };
}
