/** What a restore would do, and everything against it at once. Changes nothing but that the plan's object exists. */
import type { CheckpointId, OperatorUid } from '../base/ids.ts';
import { SluiceError } from '../base/errors.ts';
import type { JobRecord } from '../model/job-record.ts';
import { checkSavepointAt } from './check-intakes.ts';
import { readTarget } from './check-restore.ts';
import { readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { storePlan } from './new-plan.ts';
import { planOfRestore, type RestoreInput } from './restore-input.ts';
import { newestOf } from './restore-request.ts';
import { readJob } from './update-job.ts';
import { missingOf } from './whole-checkpoint.ts';

export interface RestorePreview {
  readonly ok: boolean;
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
  readonly from: 'savepoint' | 'checkpoint';
  /** Its number where it was taken; null = from nothing. */
  readonly checkpoint: CheckpointId | null;
  readonly mapped: readonly OperatorUid[];
  readonly dropped: readonly OperatorUid[];
  readonly startsEmpty: readonly OperatorUid[];
  readonly parallelismChanges: readonly { readonly vertex: OperatorUid; readonly from: number; readonly to: number }[];
  /** To hand back with the restore, which is refused where more has been published since. */
  readonly publishedSeen: CheckpointId;
}

const nothing = { mapped: [], dropped: [], startsEmpty: [], parallelismChanges: [], warnings: [] };

export async function previewRestore(deps: CoordinatorDeps, input: RestoreInput): Promise<RestorePreview> {
  const record = await readJob(deps, input.jobId);
  const { allowNonRestoredState = false, allowOtherJob = false } = input;
  const options = { allowNonRestoredState, allowOtherJob };
  const newPlan = planOfRestore(deps, record, input);
  const planKey = newPlan === null ? record.plan : await storePlan(deps, record.job, newPlan);
  return input.savepoint === undefined
    ? previewCheckpoint(deps, record, { ...newestOf(record), ...options, plan: planKey, checkpoint: input.checkpoint ?? 'newest' })
    : previewSavepoint(deps, record, { ...options, planKey, location: input.savepoint });
}

async function previewSavepoint(
  deps: CoordinatorDeps,
  record: JobRecord,
  wanted: { readonly location: string; readonly planKey: string; readonly allowNonRestoredState: boolean; readonly allowOtherJob: boolean },
): Promise<RestorePreview> {
  const { plan } = await readPlan(deps, wanted.planKey);
  const check = await checkSavepointAt(deps, wanted.location, plan, wanted);
  const { ok, reasons, warnings, mapped, dropped, startsEmpty, parallelismChanges, validation } = check;
  const { metadata } = validation;
  const isOwn = metadata?.job.id === record.job;
  return {
    ok,
    reasons: reasons.map(({ message }) => message),
    warnings: [...warnings, ...(isOwn ? publishedBeyond(record, metadata.checkpoint) : [])],
    from: 'savepoint',
    checkpoint: metadata?.checkpoint ?? null,
    mapped,
    dropped,
    startsEmpty,
    parallelismChanges,
    publishedSeen: record.published,
  };
}

async function previewCheckpoint(
  deps: CoordinatorDeps,
  record: JobRecord,
  request: Parameters<typeof readTarget>[2],
): Promise<RestorePreview> {
  const common = { from: 'checkpoint', publishedSeen: record.published } as const;
  try {
    const target = await readTarget(deps, record, request);
    if (target === null) return { ...nothing, ...common, ok: true, reasons: [], checkpoint: null };
    const { checkpoint } = target.manifest;
    const missing = await missingOf(deps, record, target.manifest);
    const reasons = missing === undefined ? [] : [`checkpoint ${checkpoint} is not whole: ${missing}`];
    const warnings = [...target.report.warnings, ...publishedBeyond(record, checkpoint)];
    return { ...target.report, ...common, ok: reasons.length === 0, reasons, warnings, checkpoint };
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === 'SLUICE-REFUSED')) throw error;
    const { reasons = [error.message] } = error.facts as { readonly reasons?: readonly string[] };
    return { ...nothing, ...common, ok: false, reasons, checkpoint: null };
  }
}

function publishedBeyond({ published }: JobRecord, checkpoint: CheckpointId): readonly string[] {
  if (published <= checkpoint) return [];
  return [
    `the output of checkpoints ${checkpoint + 1} to ${published} is published already, and what comes after the restore is published beside it`,
  ];
}
