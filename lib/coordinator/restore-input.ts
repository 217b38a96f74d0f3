/**
 * What a person writes who wants a restore: the input of the state machine, and the body of the API's request.
 *
 * RI1. Whatever is wrong with it is told at once, before anything is written.
 */
import { SluiceError } from '../base/errors.ts';
import type { CheckpointId, JobId } from '../base/ids.ts';
import { readFields } from './asked-by-hand.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { NewPlan } from './new-plan.ts';

export interface RestoreInput {
  readonly jobId: JobId;
  /** Where it lies. Or: */
  readonly savepoint?: string;
  /** One that the job holds. */
  readonly checkpoint?: CheckpointId | 'newest';
  readonly parallelism?: number;
  readonly allowNonRestoredState?: boolean;
  readonly allowOtherJob?: boolean;
  readonly publishedSeen?: CheckpointId;
  readonly dryRun?: boolean;
}

/**
 * The plan that such a restore goes on with; null: the one that the job has. Where the code is at hand it is the deployed one: no function there takes another.
 *
 * @throws SluiceError `SLUICE-RESTORE-INPUT` where nobody has the job's code to plan it anew
 */
export function planOfRestore({ planFor }: CoordinatorDeps, { planHash }: JobRecord, input: RestoreInput): NewPlan | null {
  const parallelism = input.parallelism ?? null;
  if (planFor === undefined && parallelism === null) return null;
  if (planFor === undefined) throw inputInvalid(['parallelism cannot be changed here: run the job again with another one']);
  const plan = planFor(parallelism);
  // With the settings that it has now.
  return plan.planHash === planHash ? null : plan;
}

const known = ['jobId', 'savepoint', 'checkpoint', 'parallelism', 'allowNonRestoredState', 'allowOtherJob', 'publishedSeen', 'dryRun'];
const example = '{"jobId": "0123456789abcdef0123456789abcdef", "savepoint": "s3://bucket/savepoints/…", "parallelism": 4, "dryRun": true}';

/** RI1. @throws SluiceError `SLUICE-RESTORE-INPUT` */
export function readRestoreInput(value: unknown): RestoreInput {
  const { fields, problems: some } = readFields(value, known);
  const { savepoint, checkpoint } = fields;
  const problems = [
    ...some,
    ...(savepoint === undefined || (typeof savepoint === 'string' && savepoint !== '') ? [] : ['savepoint must be a location']),
    ...(savepoint !== undefined && checkpoint !== undefined ? ['either savepoint or checkpoint, not both'] : []),
    ...(checkpoint === undefined || checkpoint === 'newest' || isCount(checkpoint) ? [] : ['checkpoint must be a number or "newest"']),
    ...(fields['parallelism'] === undefined || isCount(fields['parallelism']) ? [] : ['parallelism must be a whole number from 1 on']),
    ...(fields['publishedSeen'] === undefined || Number.isSafeInteger(fields['publishedSeen'])
      ? []
      : ['publishedSeen must be a whole number']),
    ...['allowNonRestoredState', 'allowOtherJob', 'dryRun']
      .filter((name) => fields[name] !== undefined && typeof fields[name] !== 'boolean')
      .map((name) => `${name} must be true or false`),
  ];
  if (problems.length > 0) throw inputInvalid(problems);
  return fields as unknown as RestoreInput;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function inputInvalid(problems: readonly string[]): SluiceError {
  return new SluiceError('SLUICE-RESTORE-INPUT', `the restore cannot be asked for: ${problems.join('; ')}`, {
    hint: `Nothing was changed. An input looks like ${example}; without savepoint or checkpoint the newest checkpoint is meant.`,
    facts: { problems },
  });
}
