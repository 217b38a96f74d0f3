/**
 * Step: everything that can be said against a restore, before anything stops. A refusal names all reasons and leaves the running job untouched.
 */
import { SluiceError } from '../base/errors.ts';
import { checkCompatibility, type CompatibilityReport } from '../checkpoint/compatibility.ts';
import { inFlightChannels } from '../checkpoint/in-flight.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { decodeManifest } from '../checkpoint/manifest-codec.ts';
import { heldCheckpoint, newestRetained } from '../checkpoint/retention.ts';
import type { JobRecord, RetainedCheckpoint } from '../model/job-record.ts';
import { assertRestorable } from '../savepoint/check-savepoint.ts';
import { checkSavepointAt } from './check-intakes.ts';
import { readObject, readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { readOperation, type OperationInput } from './operation-log.ts';
import type { CheckpointRequest, RestoreRequest } from './restore-request.ts';
import { readJob } from './update-job.ts';
import { missingOf, newestWhole, unlessLost } from './whole-checkpoint.ts';

export async function checkRestore(deps: CoordinatorDeps, input: OperationInput): Promise<{ readonly from: RestoreRequest['from'] }> {
  const operation = await readOperation(deps, input);
  const request = operation.request as unknown as RestoreRequest;
  if (request.from === 'checkpoint') {
    const record = await readJob(deps, input.job);
    const target = await readTarget(deps, record, request);
    const problem = target === null ? undefined : await missingOf(deps, record, target.manifest);
    if (problem !== undefined) throw restoreRefused(record, [`checkpoint ${target!.manifest.checkpoint} is not whole: ${problem}`]);
  } else {
    const { plan } = await readPlan(deps, request.plan);
    assertRestorable(await checkSavepointAt(deps, request.location, plan, request), request.name);
  }
  return { from: request.from };
}

/** The checkpoint that is meant, checked against the plan that is to go on from it; null = from nothing. */
export async function readTarget(
  deps: CoordinatorDeps,
  record: JobRecord,
  request: CheckpointRequest,
): Promise<{ readonly manifest: Manifest; readonly key: string; readonly report: CompatibilityReport } | null> {
  const wanted = await wantedCheckpoint(deps, record, request);
  if (wanted === undefined) {
    if (typeof request.checkpoint === 'string') return null;
    throw restoreRefused(record, [`checkpoint ${request.checkpoint} is no longer retained`]);
  }
  const manifest = await unlessLost(async () => decodeManifest(await readObject(deps, wanted.manifest), wanted.manifest));
  if (typeof manifest === 'string') throw restoreRefused(record, [`checkpoint ${wanted.id} is not whole: ${manifest}`]);
  const { plan } = await readPlan(deps, request.plan);
  const inFlightEdges = [...new Set(inFlightChannels(manifest).map(({ edge }) => edge))];
  const report = checkCompatibility({ ...manifest, inFlightEdges }, plan, request);
  if (!report.ok)
    throw restoreRefused(
      record,
      report.reasons.map(({ message }) => message),
    );
  return { manifest, key: wanted.manifest, report };
}

function wantedCheckpoint(
  deps: CoordinatorDeps,
  record: JobRecord,
  { checkpoint }: CheckpointRequest,
): Promise<RetainedCheckpoint | undefined> | RetainedCheckpoint | undefined {
  if (checkpoint === 'whole') return newestWhole(deps, record);
  return checkpoint === 'newest' ? newestRetained(record) : heldCheckpoint(record, checkpoint);
}

export function restoreRefused(record: Pick<JobRecord, 'job' | 'name'>, reasons: readonly string[]): SluiceError {
  return new SluiceError('SLUICE-REFUSED', `job ${record.name} cannot be restored: ${reasons.join('; ')}`, {
    hint: 'Nothing was changed. Choose another checkpoint, or change the job so that all its state finds its operators.',
    facts: { job: record.job, reasons },
  });
}
