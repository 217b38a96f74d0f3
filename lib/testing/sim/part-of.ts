/** What a published name says of the part. */
import type { CheckpointId, JobId } from '../../base/ids.ts';

export interface PartOf {
  readonly checkpoint: CheckpointId;
  readonly isOf: (job: JobId) => boolean;
}

/** `<first 8 of the job>-<operator>-<checkpoint>-<shard>-<number>.<extension>` (part-names.ts). */
export function partOf(target: string): PartOf {
  const [, job, checkpoint] = /^([^-]+)-.*-(\d+)-\d+-\d+\.[a-z]+$/.exec(target)!;
  return { checkpoint: Number(checkpoint), isOf: (other) => other.startsWith(job!) };
}
