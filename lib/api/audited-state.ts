import { errorCode } from '../base/errors.ts';
import type { JobId } from '../base/ids.ts';
import { readPlan, type CoordinatorDeps } from '../coordinator/coordinator-deps.ts';
import type { AuditedState } from '../model/audit-record.ts';

/** As a record keeps it: plain JSON, so that what comes back from a store has the same hash. */
export async function readAuditedState(deps: Pick<CoordinatorDeps, 'jobs' | 'objects'>, job: JobId): Promise<AuditedState | null> {
  const record = await deps.jobs.read(job);
  if (record === undefined) return null;
  const { status, attempt, version, plan } = record;
  return { status, attempt, version, settings: await readSettings(deps, plan) };
}

/** A restore may be what puts a lost plan right: it is recorded without. */
async function readSettings(deps: Pick<CoordinatorDeps, 'objects'>, plan: string): Promise<AuditedState['settings']> {
  try {
    const { settings } = await readPlan(deps, plan);
    return JSON.parse(JSON.stringify(settings)) as AuditedState['settings'];
  } catch (error) {
    if (errorCode(error) === 'SLUICE-OBJECT-MISSING') return null;
    throw error;
  }
}
