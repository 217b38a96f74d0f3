import type { KeyGroupRange } from '../model/key-group-range.ts';
import type { FiredRange } from '../model/shard-record.ts';
import { MIN_WATERMARK } from '../model/time.ts';

/** How far timers had fired before a restore, by key group. Empty where all groups start from nothing. */
export function firedByGroup(ranges: readonly FiredRange[], own: KeyGroupRange): Map<number, number> {
  const fired = new Map<number, number>();
  for (const { keyGroups, firedUpTo } of ranges) {
    if (firedUpTo === MIN_WATERMARK) continue;
    for (let group = Math.max(keyGroups.start, own.start); group <= Math.min(keyGroups.end, own.end); group++) {
      fired.set(group, Math.max(firedUpTo, fired.get(group) ?? MIN_WATERMARK));
    }
  }
  return fired;
}
