/** The one owner of every queue name and message group id. Uids are checked by the graph: letters, digits, `.`, `_`, `-`. */
import type { Attempt, JobId, OperatorUid } from '../base/ids.ts';

export function operatorQueue(job: JobId, vertex: OperatorUid): string {
  return `${job}/${vertex}`;
}

/** Takes acknowledgements, `dirty` and failures of all shards of a job. */
export function coordinatorQueue(job: JobId): string {
  return `${job}/#coordinator`;
}

/** Old attempts' messages drain beside the new ones instead of blocking the head. */
export function shardGroup(shard: number, attempt: Attempt): string {
  return `${shard}.${attempt}`;
}
