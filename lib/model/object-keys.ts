/** The one owner of every object key. Uids are checked by the graph: letters, digits, `.`, `_`, `-`. */
import type { Attempt, CheckpointId, Epoch, JobId, OperatorUid } from '../base/ids.ts';
import type { ShardAddress } from './shard-record.ts';

export function jobPrefix(job: JobId): string {
  return `jobs/${job}/`;
}

/** `tryId` makes the name one that no other try can use. */
export function segmentKey(address: ShardAddress, attempt: Attempt, version: number, tryId: string): string {
  return `${jobPrefix(address.job)}segments/${address.uid}/${address.shard}/${attempt}-${version}-${tryId}`;
}

export function indexKey(address: ShardAddress, attempt: Attempt, version: number, tryId: string): string {
  return `${jobPrefix(address.job)}indexes/${address.uid}/${address.shard}/${attempt}-${version}-${tryId}`;
}

export function deltaKey(address: ShardAddress, attempt: Attempt, epoch: Epoch, part: number, tryId: string): string {
  return `${jobPrefix(address.job)}deltas/${address.uid}/${address.shard}/${attempt}-${epoch}-${part}-${tryId}`;
}

/** By attempt, or import, and number: a second attempt to complete the same checkpoint meets its own manifest. */
export function manifestKey(job: JobId, by: Attempt | string, checkpoint: CheckpointId): string {
  return `${jobPrefix(job)}manifests/chk-${checkpoint}-${by}`;
}

export function descriptorKey(job: JobId, attempt: Attempt, id: string): string {
  return `${jobPrefix(job)}restores/${attempt}-${id}`;
}

export function planKey(job: JobId, planHash: string): string {
  return `${jobPrefix(job)}plans/${planHash}`;
}

export function failureKey(job: JobId, attempt: Attempt, id: string): string {
  return `${jobPrefix(job)}failures/${attempt}-${id}`;
}

/** A source's splits as they were listed when the job first started. */
export function splitsKey(job: JobId, source: OperatorUid): string {
  return `${jobPrefix(job)}splits/${source}`;
}

/** What one step of a savepoint's export has written: its progress, by number of the step. */
export function exportKey(job: JobId, trigger: string, step: number): string {
  return `${jobPrefix(job)}exports/${trigger}/${step}`;
}
