/** The check of a savepoint, with what only the logs of push sources can tell: what they no longer have cannot be read again. */
import type { CompatibilityOptions } from '../checkpoint/compatibility.ts';
import { intakeOptionsOf } from '../model/intake.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { IntakeLog, IntakePartition } from '../ports/intake-log.ts';
import { checkSavepoint, type SavepointCheck } from '../savepoint/check-savepoint.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';

export async function checkSavepointAt(
  { savepoints, intakeLog }: CoordinatorDeps,
  location: string,
  plan: JobPlan,
  options: CompatibilityOptions,
): Promise<SavepointCheck> {
  const check = await checkSavepoint(savepoints.at(location), plan, options);
  if (intakeLog === undefined || check.validation.metadata === null) return check;
  const gone = await entriesGone(intakeLog, check, plan);
  if (gone.length === 0) return check;
  const reasons = gone.map((message) => ({ code: 'INTAKE_GONE' as const, message }));
  return { ...check, ok: false, reasons: [...check.reasons, ...reasons] };
}

async function entriesGone(log: IntakeLog, { validation }: SavepointCheck, plan: JobPlan): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const { uid, operators } of plan.vertices) {
    const options = intakeOptionsOf(operators[0]!.connector);
    if (options === undefined) continue;
    const splits = validation.metadata!.shards.filter((shard) => shard.uid === uid).flatMap((shard) => Object.entries(shard.splits ?? {}));
    for (const [partition, { position }] of splits) {
      const { next } = (position ?? { next: 1 }) as { readonly next: number };
      const place: IntakePartition = { intake: options.intake, partition };
      if (await isThere(log, place, next)) continue;
      gone.push(
        `operator ${uid} would go on at entry ${next} of the intake ${options.intake}, partition ${partition}: the log has it no longer`,
      );
    }
  }
  return gone;
}

/** Entry `next`, or the one before it as the newest; an empty log is where a job begins. */
async function isThere(log: IntakeLog, partition: IntakePartition, next: number): Promise<boolean> {
  const [newest] = await log.identities(partition, next + 1, { recordsMax: 1, withinMs: 0 });
  if (next > 1) return newest !== undefined && newest.number >= next - 1;
  return newest !== undefined || (await log.identities(partition, Number.MAX_SAFE_INTEGER, { recordsMax: 1, withinMs: 0 })).length === 0;
}
