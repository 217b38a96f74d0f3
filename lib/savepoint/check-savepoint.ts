/** The dry run of a restore: is the savepoint whole, and can this job go on from it. Everything against it at once, and what would happen. */
import {
  checkCompatibility,
  type ComparedSnapshot,
  type CompatibilityOptions,
  type CompatibilityReport,
} from '../checkpoint/compatibility.ts';
import { SluiceError } from '../base/errors.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { SavepointFolder } from '../ports/savepoint-folder.ts';
import type { SavepointMetadata } from './savepoint-metadata.ts';
import { validateSavepoint, type SavepointReason, type Validation } from './validate-savepoint.ts';

export interface SavepointCheck extends Omit<CompatibilityReport, 'reasons'> {
  readonly location: string;
  readonly reasons: readonly SavepointReason[];
  readonly validation: Validation;
}

export async function checkSavepoint(folder: SavepointFolder, plan: JobPlan, options: CompatibilityOptions): Promise<SavepointCheck> {
  const validation = await validateSavepoint(folder);
  const { metadata } = validation;
  const common = { location: folder.location, validation };
  if (metadata === null) {
    const nothing = { mapped: [], dropped: [], startsEmpty: [], parallelismChanges: [], warnings: [] };
    return { ...common, ...nothing, ok: false, reasons: validation.reasons };
  }
  const report = checkCompatibility(snapshotOf(metadata), plan, options);
  const reasons = [...validation.reasons, ...report.reasons.map(({ code, message }) => ({ code, message }))];
  return { ...common, ...report, reasons, ok: reasons.length === 0, warnings: [...report.warnings, ...outputWarnings(validation, report)] };
}

/** What the compatibility check wants to know of it. */
export function snapshotOf({ job, plan, inFlight = [] }: SavepointMetadata): ComparedSnapshot {
  const channels = inFlight.flatMap((file) => Object.keys(file.channels));
  const inFlightEdges = plan.edges.filter(({ index }) => channels.some((channel) => channel.startsWith(`${index}/`)));
  return { jobName: job.name, plan, inFlightEdges };
}

/** Parts that the savepoint brings become visible at the start, unless the job that made it has published them. */
function outputWarnings({ metadata }: Validation, { dropped }: CompatibilityReport): readonly string[] {
  const parts = metadata?.parts ?? [];
  if (parts.length === 0) return [];
  const records = parts.reduce((sum, { part }) => sum + part.records, 0);
  const gone = [...new Set(parts.map(({ part }) => part.operator))].filter((uid) => dropped.includes(uid));
  return [
    `${parts.length} parts with ${records} records that were not yet visible at the savepoint become visible, unless they are already`,
    ...gone.map((uid) => `among them are parts of sink ${uid}, which this job no longer has`),
  ];
}

/** @throws SluiceError `SLUICE-REFUSED` with every reason */
export function assertRestorable(check: SavepointCheck, jobName: string): void {
  if (check.ok) return;
  const reasons = check.reasons.map(({ message }) => message);
  throw new SluiceError('SLUICE-REFUSED', `job ${jobName} cannot be restored from ${check.location}: ${reasons.join('; ')}`, {
    hint: 'Nothing was changed. Use another savepoint, change the job, or drop what cannot be mapped with --allow-non-restored-state.',
    facts: { location: check.location, reasons: check.reasons },
  });
}
