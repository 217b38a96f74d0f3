/** What shards tell the coordinator, as JSON bytes in the coordinator's queue. Duplicates are harmless by content. */
import type { Attempt, CheckpointId, Epoch, JobId, OperatorUid } from '../base/ids.ts';
import { corrupt } from './byte-buffer.ts';
import { decodeValue, encodeValue } from './value-json.ts';
import type { ShardSnapshot } from './shard-record.ts';

export interface JobFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly operator: OperatorUid;
  readonly shard: number;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

interface FromShard {
  readonly job: JobId;
  readonly attempt: Attempt;
  readonly uid: OperatorUid;
  readonly shard: number;
}

/** Of the reasons of checkpoint/failure-reason.ts the one that shards have: what else goes wrong with a snapshot is a batch that is tried again. */
type DeclineReason = 'CHECKPOINT_DECLINED_SUBSUMED';

export type CoordinatorMessage =
  | (FromShard & { readonly kind: 'dirty'; readonly epoch: Epoch })
  | (FromShard & { readonly kind: 'acknowledgement'; readonly snapshot: ShardSnapshot })
  | (FromShard & { readonly kind: 'declined'; readonly checkpoint: CheckpointId; readonly reason: DeclineReason })
  /** A source shard has no more input: when all have said so, a checkpoint is due at once. */
  | (FromShard & { readonly kind: 'ended' })
  /** `mayRestart`: the restart strategy decides whether the batch is tried again; without it nothing can mend what failed. */
  | (FromShard & { readonly kind: 'failed'; readonly failure: JobFailure; readonly mayRestart?: true });

export function encodeCoordinatorMessage(message: CoordinatorMessage): Uint8Array {
  return Buffer.from(encodeValue(message), 'utf8');
}

export function decodeCoordinatorMessage(body: Uint8Array): CoordinatorMessage {
  let message: unknown;
  try {
    message = decodeValue(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch (error) {
    throw corrupt('a message to the coordinator', String(error));
  }
  if (!isSound(message as Partial<CoordinatorMessage> | null))
    throw corrupt('a message to the coordinator', 'a field is missing, or is another');
  return message as CoordinatorMessage;
}

/** What decides is checked: a message that somebody else has sent must not stand in the way of those that follow. */
function isSound(message: Partial<CoordinatorMessage> | null): boolean {
  if (typeof message !== 'object' || message === null) return false;
  if (typeof message.job !== 'string' || typeof message.uid !== 'string' || ![message.attempt, message.shard].every(isCount)) return false;
  switch (message.kind) {
    case 'dirty':
      return isCount(message.epoch);
    case 'acknowledgement':
      return isCount((message.snapshot as { readonly checkpoint?: unknown } | null | undefined)?.checkpoint);
    case 'declined':
      return isCount(message.checkpoint);
    case 'ended':
      return true;
    case 'failed':
      return typeof (message.failure as { readonly code?: unknown } | null | undefined)?.code === 'string';
    default:
      return false;
  }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
