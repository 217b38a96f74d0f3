/**
 * Key groups: the arithmetic of Flink's KeyGroupRangeAssignment. State, timers and files are addressed by key group, so that a change of parallelism
 * moves whole groups and nothing else.
 */
import type { KeyGroup } from '../base/ids.ts';
import { limits } from '../base/limits.ts';
import { flinkMurmurHash, murmur3 } from '../base/murmur3.ts';

/** `murmur(hash(key)) mod maxParallelism`; our hash of a key is murmur3 over its canonical JSON. */
export function keyGroupOf(canonicalKey: string, maxParallelism: number): KeyGroup {
  return flinkMurmurHash(murmur3(canonicalKey)) % maxParallelism;
}

export function shardOfKeyGroup(keyGroup: KeyGroup, parallelism: number, maxParallelism: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}

/** Flink's default: the next power of two of 1.5 × parallelism, between 128 and 32,768. */
export function defaultMaxParallelism(parallelism: number): number {
  const wanted = parallelism + Math.floor(parallelism / 2);
  return Math.min(Math.max(2 ** Math.ceil(Math.log2(Math.max(wanted, 1))), 128), limits.maxParallelismMax);
}
