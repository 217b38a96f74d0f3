/** Arrivals of a push source: each tells of an entry in the log of one of its splits (PS3 in push-source.ts). */
import { invariant } from '../base/invariant.ts';
import { mutated } from '../base/mutated.ts';
import type { ControlMessage } from '../model/envelope.ts';
import type { LiveShard } from './live-shard.ts';

export function isNewArrival({ push }: LiveShard, { split, number }: ControlMessage): boolean {
  const last = push?.arrived[split!] ?? 0;
  return mutated('arrivals-without-gaps') ? number === last + 1 : number > last;
}

/** PS3. */
export function markArrival(shard: LiveShard, { split, number }: ControlMessage): void {
  const { push, splits } = shard;
  invariant(push !== null && splits?.[split!] !== undefined, 'PS3', 'an arrival names a split that this shard does not have', { split });
  shard.push = { ...push, arrived: { ...push.arrived, [split!]: number } };
}
