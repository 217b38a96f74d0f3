/** Which of an edge's channels a record goes to. */
import { canonicalKey, isPlainKey } from '../model/canonical-key.ts';
import { keyGroupOf, shardOfKeyGroup } from '../model/key-group.ts';
import type { KeySelector } from '../operators/operator.ts';
import type { OutputEdge } from './topology.ts';

/** Keys whose shard is remembered, per edge. */
const routeCacheMax = 65_536;

export function hashRoute(edge: OutputEdge, keySelector: KeySelector): (value: unknown) => number {
  const cache = new Map<unknown, number>();
  const parallelism = edge.channels.length;
  const shardOf = (key: unknown): number =>
    shardOfKeyGroup(keyGroupOf(canonicalKey(key), edge.maxParallelism), parallelism, edge.maxParallelism);
  return (value) => {
    const key = keySelector(value);
    if (parallelism === 1) {
      if (!isPlainKey(key)) canonicalKey(key);
      return 0;
    }
    // Objects are compared by identity in a Map, so they are hashed anew each time.
    if (typeof key === 'object' && key !== null) return shardOf(key);
    let shard = cache.get(key);
    if (shard === undefined) {
      if (cache.size >= routeCacheMax) cache.clear();
      shard = shardOf(key);
      cache.set(key, shard);
    }
    return shard;
  };
}

export function roundRobin(count: number): () => number {
  let next = 0;
  return () => {
    next = next + 1 === count ? 0 : next + 1;
    return next;
  };
}
