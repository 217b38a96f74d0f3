/** The end of a job that cannot go on: what happened is stored first, then the record names it. */
import { failJob } from '../checkpoint/job-ending.ts';
import { refused } from '../checkpoint/transition.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import type { JobRecord } from '../model/job-record.ts';
import { failureKey } from '../model/object-keys.ts';
import { encodeValue } from '../model/value-json.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { updateJob } from './update-job.ts';

/** Only in the attempt in which it happened. */
export async function jobFailed(
  deps: CoordinatorDeps,
  { job, attempt }: Pick<JobRecord, 'job' | 'attempt'>,
  failure: JobFailure,
): Promise<'failed' | 'superseded'> {
  const key = failureKey(job, attempt, `${failure.operator}-${failure.shard}-${failure.atMs}`);
  await deps.objects.createIfAbsent(key, Buffer.from(encodeValue(failure), 'utf8'));
  const updated = await updateJob<'superseded' | 'already-ended'>(deps, job, (record) =>
    record.attempt === attempt ? failJob(record, key, deps.clock.now()) : refused('superseded'),
  );
  if (updated.outcome === 'refused') return 'superseded';
  const { code, message, operator, shard } = failure;
  deps.logger.log('error', `job ${job} failed: ${message}`, { code, operator, shard });
  return 'failed';
}
