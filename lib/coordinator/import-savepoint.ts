/**
 * Step: a savepoint into a namespace of its own, file by file, for as long as a step may take. A failed import changes nothing for anybody (rules IM1–IM4 in
 * lib/savepoint/import-savepoint.ts).
 */
import type { CheckpointId, JobId } from '../base/ids.ts';
import { mutated } from '../base/mutated.ts';
import { encodeManifest } from '../checkpoint/manifest-codec.ts';
import { manifestKey } from '../model/object-keys.ts';
import type { SinkPart } from '../model/shard-record.ts';
import type { PartName } from '../ports/connectors.ts';
import { importedManifest, importUnit, importUnits } from '../savepoint/import-savepoint.ts';
import { besideRunningJob, importAttempt, intoNewJob, type ImportTarget } from '../savepoint/import-target.ts';
import { openSavepoint } from '../savepoint/open-savepoint.ts';
import type { SavepointMetadata } from '../savepoint/savepoint-metadata.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, updateOperation, type OperationInput } from './operation-log.ts';
import { committerOf } from './publish-parts.ts';
import type { SavepointRequest } from './restore-request.ts';

export async function importSavepoint(deps: CoordinatorDeps, input: OperationInput): Promise<{ readonly done: boolean }> {
  const operation = await readOperation(deps, input);
  const request = operation.request as unknown as SavepointRequest;
  const folder = deps.savepoints.at(request.location);
  const target = importTarget(input, request);
  const metadata = await openSavepoint(folder);
  const units = importUnits(metadata);
  const stagePart = async (part: SinkPart, bytes: Uint8Array): Promise<void> => {
    const { sink, committer } = committerOf(deps, metadata.plan, part.operator);
    await committer.importPart(sink, partName(target, part), part, bytes);
  };
  const begunAt = deps.clock.monotonic();
  let next = Number(operation.progress['next'] ?? 0);
  for (; next < units.length && deps.clock.monotonic() - begunAt < deps.stepMs; next++) {
    await importUnit({ folder, base: deps.base, objects: deps.objects, stagePart }, target, metadata, units[next]!);
  }
  await updateOperation(deps, input, { progress: { next, units: units.length } });
  return { done: next === units.length };
}

export function importTarget({ job, trigger }: OperationInput, { attempt }: SavepointRequest): ImportTarget {
  return attempt === undefined ? intoNewJob(job) : besideRunningJob(job, trigger);
}

/** What the job's shards start from, as a checkpoint of that number; returns the key of its manifest. */
export async function storeImported(
  deps: CoordinatorDeps,
  metadata: SavepointMetadata,
  target: ImportTarget,
  checkpoint: CheckpointId,
): Promise<string> {
  const place = (part: SinkPart): SinkPart => {
    const { sink, committer } = committerOf(deps, metadata.plan, part.operator);
    const { staged } = committer.locate(sink, partName(target, part));
    // What the running job has published lies below its next number: only so it is still to be published.
    return { ...part, staged, ...(target.isBeside && !mutated('import-keeps-numbers') ? { checkpoint } : {}) };
  };
  const key = manifestKey(target.job, target.isBeside ? target.importId : importAttempt, checkpoint);
  await deps.objects.createIfAbsent(
    key,
    encodeManifest(importedManifest(metadata, target, { checkpoint, place, nowMs: deps.clock.now() })),
  );
  return key;
}

/** Staged parts are told apart by namespace: what a restore of the running job discards meanwhile is not the import's. */
function partName({ space }: ImportTarget, { operator, checkpoint, shard, number }: SinkPart): PartName {
  return { job: space as JobId, attempt: importAttempt, operator, checkpoint, shard, number };
}
