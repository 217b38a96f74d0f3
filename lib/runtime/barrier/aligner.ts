/**
 * Barrier alignment of one shard: decisions only. Pure.
 *
 * B1. A cut's positions all come from barriers of one number.
 * B2. A newer barrier on a channel that has not brought the current number ends that alignment: it is declined, its late barriers are ignored.
 * B3. On a channel that is held at n, everything later is held too, barriers included.
 * B4. Numbers at or below `settled` (snapshotted, declined or aborted) are ignored: late barriers of an aborted checkpoint.
 * B5. An ended channel still brings barriers: all channels are waited for.
 * B6. Whether channels wait for the others is said by the barriers, and by all of one number alike: the job's setting may change at any moment.
 * B7. On a channel that has brought n a newer number waits until n is over: at-least-once, which holds nothing behind n, it is held itself, with what
 *     follows it. So several checkpoints may be on their way in every mode.
 */
import { mutated } from '../../base/mutated.ts';
import type { ChannelId, CheckpointId } from '../../base/ids.ts';
import { invariant } from '../../base/invariant.ts';
import type { BarrierOptions, CheckpointMode } from '../../model/envelope.ts';
import type { Alignment } from '../../model/shard-record.ts';

export type BarrierVerdict =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'aligning'; readonly alignment: Alignment }
  | { readonly kind: 'aligned'; readonly alignment: Alignment }
  /** Keep the barrier, and what follows it on its channel, until the older number is over. */
  | { readonly kind: 'waiting'; readonly alignment: Alignment }
  /** Release what is held, decline the older number, then show the same barrier again. */
  | { readonly kind: 'superseded'; readonly declined: CheckpointId };

export interface BarrierFacts extends BarrierOptions {
  readonly current: Alignment | null;
  readonly settled: CheckpointId;
  readonly channels: number;
  readonly channel: ChannelId;
  readonly checkpoint: CheckpointId;
  readonly sequence: number;
  readonly nowMs: number;
}

export function onBarrier(facts: BarrierFacts): BarrierVerdict {
  const { current, checkpoint, channel } = facts;
  if (checkpoint <= facts.settled) return { kind: 'ignored' };
  if (current !== null && checkpoint > current.checkpoint && !mutated('numbers-mixed')) {
    return channel in current.barriers
      ? { kind: 'waiting', alignment: { ...current, waiting: [...(current.waiting ?? []), channel] } }
      : { kind: 'superseded', declined: current.checkpoint };
  }
  if (current !== null && checkpoint < current.checkpoint) return { kind: 'ignored' };
  const mode = facts.mode ?? 'exactly-once';
  invariant(current === null || modeOf(current) === mode, 'B6', `barriers of checkpoint ${checkpoint} differ in their mode`, {
    channel,
    mode,
  });
  const barriers = { ...current?.barriers, [channel]: facts.sequence };
  const overtakeAtMs = current?.overtakeAtMs ?? facts.overtakeAtMs;
  const startedAtMs = current?.startedAtMs ?? facts.nowMs;
  const number = mutated('numbers-mixed') ? (current?.checkpoint ?? checkpoint) : checkpoint;
  const alignment: Alignment = {
    ...{ checkpoint: number, barriers, startedAtMs },
    ...(mode === 'exactly-once' ? {} : { mode }),
    ...(current?.processedBytes === undefined ? {} : { processedBytes: current.processedBytes }),
    ...(overtakeAtMs === undefined ? {} : { overtakeAtMs }),
    ...(current?.waiting === undefined ? {} : { waiting: current.waiting }),
  };
  const awaited = mutated('first-barrier-cuts') ? 1 : facts.channels;
  return { kind: Object.keys(barriers).length === awaited ? 'aligned' : 'aligning', alignment };
}

/** Exactly-once holds a channel back from its barrier on; at-least-once from the next one's on. */
export function isHeld(alignment: Alignment | null, channel: ChannelId): boolean {
  if (alignment === null || mutated('nothing-held')) return false;
  if (mutated('overtaken-not-held') && alignment.overtakeAtMs !== undefined) return false;
  return modeOf(alignment) === 'exactly-once' ? channel in alignment.barriers : alignment.waiting?.includes(channel) === true;
}

function modeOf({ mode = 'exactly-once' }: Alignment): CheckpointMode {
  return mode;
}
