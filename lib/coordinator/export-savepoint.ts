/**
 * Steps: the place of a savepoint, known to be one before the job is asked for anything; then its next files, for as long as a step may take; the job runs on
 * meanwhile. Progress is in receipts, one object per unit, so that any process goes on where another ended (rules EX1–EX3 in
 * lib/savepoint/export-savepoint.ts).
 *
 * EX4. What a unit has read counts only where the pin is still there afterwards. Without it a restore may have removed staged parts, which then look as if
 *      they had served, and the base may have gone on.
 */
import { SluiceError } from '../base/errors.ts';
import type { CheckpointId } from '../base/ids.ts';
import { mutated } from '../base/mutated.ts';
import { decodeManifest } from '../checkpoint/manifest-codec.ts';
import type { Pin } from '../model/job-record.ts';
import { exportKey } from '../model/object-keys.ts';
import { exportUnit, exportUnits, type ExportPorts, type Receipt } from '../savepoint/export-savepoint.ts';
import { finishExport } from '../savepoint/finish-export.ts';
import { readObject, type CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, updateOperation, type OperationInput } from './operation-log.ts';
import { committerOf } from './publish-parts.ts';
import { savepointFolder } from './savepoint-requests.ts';
import { intakePositionsOf } from './trim-intakes.ts';
import { readJob } from './update-job.ts';

export interface ExportInput extends OperationInput {
  readonly checkpoint: CheckpointId;
}

export async function prepareSavepoint(deps: CoordinatorDeps, input: OperationInput): Promise<void> {
  await savepointFolder(deps, await readOperation(deps, input)).prepare();
}

export async function exportSavepoint(deps: CoordinatorDeps, input: ExportInput): Promise<{ readonly done: boolean }> {
  const { pin, published } = await heldPin(deps, input);
  const manifest = decodeManifest(await readObject(deps, pin.manifest), pin.manifest);
  const operation = await readOperation(deps, input);
  const folder = savepointFolder(deps, operation);
  const ports: ExportPorts = {
    base: deps.base,
    objects: deps.objects,
    folder,
    newTry: () => deps.random.hex(6),
    readPart: async (part) => {
      // Visible already: it is nobody's work any more.
      if (part.checkpoint <= published) return undefined;
      const { sink, committer } = committerOf(deps, manifest.plan, part.operator);
      return committer.exportPart(sink, part);
    },
  };
  const units = exportUnits(manifest);
  const begunAt = deps.clock.monotonic();
  let next = Number(operation.progress['next'] ?? 0);
  for (; next < units.length && deps.clock.monotonic() - begunAt < deps.stepMs; next++) {
    const key = exportKey(input.job, input.trigger, next);
    if ((await deps.objects.read(key)) !== undefined) continue;
    const receipt = await exportUnit(ports, units[next]!);
    if (!mutated('export-unheld')) await heldPin(deps, input);
    await deps.objects.createIfAbsent(key, Buffer.from(JSON.stringify(receipt), 'utf8'));
  }
  const done = next === units.length;
  if (done) await finishExport(folder, manifest, await receipts(deps, input, units.length));
  const intakes = intakePositionsOf(manifest);
  const progress = { next, units: units.length, checkpoint: input.checkpoint, ...(intakes === undefined ? {} : { intakes }) };
  await updateOperation(deps, input, { progress, ...(done ? { location: folder.location } : {}) });
  return { done };
}

/** @throws SluiceError `SLUICE-REFUSED` where the job was restored meanwhile, or ended: the checkpoint is no longer held */
async function heldPin(
  deps: CoordinatorDeps,
  { job, flow, checkpoint }: ExportInput,
): Promise<{ readonly pin: Pin; readonly published: CheckpointId }> {
  const { pins, published } = await readJob(deps, job);
  const pin = pins.find((candidate) => candidate.flow === flow && candidate.checkpoint === checkpoint);
  if (pin !== undefined) return { pin, published };
  throw new SluiceError(
    'SLUICE-REFUSED',
    `checkpoint ${checkpoint} is no longer held: the job was restored while the savepoint was being written`,
    {
      hint: 'Take the savepoint again.',
      facts: { job, checkpoint },
    },
  );
}

async function receipts(deps: CoordinatorDeps, { job, trigger }: ExportInput, count: number): Promise<readonly Receipt[]> {
  const all: Receipt[] = [];
  for (let step = 0; step < count; step++) {
    const bytes = await readObject(deps, exportKey(job, trigger, step));
    all.push(JSON.parse(Buffer.from(bytes).toString('utf8')) as Receipt);
  }
  return all;
}
