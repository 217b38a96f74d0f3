/**
 * Segments of many epochs: where receivers lag behind for an hour, or a savepoint holds the floor, each checkpoint leaves an epoch that nobody may forget
 * yet. Two neighbours become one list, by an index object, so that what a record, an acknowledgement and a manifest list of them stays small.
 *
 * ME1. The merged list has the newest epoch's number, so that it is kept as long as anybody needs any of it, and the oldest one's positions.
 * ME2. Neighbours that span the fewest epochs go first, and the oldest of all last: what is kept too long, because something with it is still needed, is a
 *      small part of what must be kept. Each epoch costs one index at most.
 * ME3. The epoch being filled is not merged: a cold start reads its segments by its number.
 */
import type { Attempt } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { indexKey } from '../model/object-keys.ts';
import type { EpochSegments, SegmentIndex } from '../model/shard-record.ts';
import type { LiveShard } from './live-shard.ts';
import type { Runtime } from './runtime-deps.ts';

export interface MergeOptions {
  readonly attempt: Attempt;
  /** The epoch being filled. */
  readonly current: number;
  readonly tryId: string;
}

/** `kept`: all that somebody may still need. */
export async function mergeEpochs(
  runtime: Runtime,
  { topology, record }: LiveShard,
  kept: readonly EpochSegments[],
  { attempt, current, tryId }: MergeOptions,
): Promise<readonly EpochSegments[]> {
  const own = kept.filter(({ epoch }) => epoch === current);
  const lists = kept.filter(({ epoch }) => epoch !== current).sort((a, b) => a.epoch - b.epoch);
  if (lists.length <= limits.epochsListedMax) return kept;
  const older = narrowestPair(lists);
  const [first, second] = [lists[older]!, lists[older + 1]!];
  // The same commit may make an index of its own epoch's segments.
  const key = indexKey(topology.address, attempt, record.version + 1, `${tryId}-merged`);
  const { recent, chained } = second;
  const index: SegmentIndex = { previous: first.chained, segments: first.recent, then: { recent, chained } };
  await runtime.deps.objects.createIfAbsent(key, Buffer.from(JSON.stringify(index), 'utf8'));
  const merged: EpochSegments = { ...first, epoch: second.epoch, recent: [], chained: key };
  return [...lists.slice(0, older), merged, ...lists.slice(older + 2), ...own];
}

/** The index of the older one. How much the oldest list spans is not known; what lies before it is gone. */
function narrowestPair(lists: readonly EpochSegments[]): number {
  invariant(lists.length > 2, 'ME2', 'there is nothing to merge');
  let best = 1;
  let narrowest = Number.POSITIVE_INFINITY;
  for (let older = 1; older + 1 < lists.length; older++) {
    const span = lists[older + 1]!.epoch - lists[older - 1]!.epoch;
    if (span < narrowest) [best, narrowest] = [older, span];
  }
  return best;
}
