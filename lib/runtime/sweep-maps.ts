/** What clears of maps have left in the base goes with the shard's commits, some at a time; on a quiet stream with those of its wake-ups. */
import { limits } from '../base/limits.ts';
import type { LiveShard } from './live-shard.ts';

/** A shard that has ended takes no more changes. */
export function hasSweeps({ status, backend }: LiveShard): boolean {
  return status === 'running' && backend?.entryMaps.sweeper.hasWork === true;
}

/** Before a commit. */
export async function sweepMaps(shard: LiveShard): Promise<void> {
  if (!hasSweeps(shard)) return;
  await shard.backend!.entryMaps.sweeper.step(limits.mapSweepRows);
  shard.changed = true;
}
