import type { KeyGroup } from '../base/ids.ts';

/** Inclusive at both ends. */
export interface KeyGroupRange {
  readonly start: KeyGroup;
  readonly end: KeyGroup;
}

/** The key groups of one shard: `ceil(i*maxP/p)` to `((i+1)*maxP - 1)/p`. */
export function keyGroupRange(shard: number, parallelism: number, maxParallelism: number): KeyGroupRange {
  return {
    start: Math.ceil((shard * maxParallelism) / parallelism),
    end: Math.floor(((shard + 1) * maxParallelism - 1) / parallelism),
  };
}

export function inRange(range: KeyGroupRange, keyGroup: KeyGroup): boolean {
  return keyGroup >= range.start && keyGroup <= range.end;
}
