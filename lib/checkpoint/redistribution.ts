/**
 * How what is not keyed is dealt out to the shards of a new plan: Flink's rules. Every function tells one new shard's part from all old shards' parts,
 * in order of the old shard, so that every new shard comes to the same result by itself.
 *
 * D1. Nothing is lost and nothing doubled: over all new shards splits, list items and accumulators are each dealt exactly once; union and broadcast
 *     state is whole on each.
 */
import type { OperatorStateValue, SplitState } from '../model/shard-record.ts';

/** Splits round-robin in order of their ids; a source that has more shards than splits leaves the last ones without. */
export function dealSplits(ids: readonly string[], shard: number, parallelism: number): readonly string[] {
  return [...ids].sort().filter((_, index) => index % parallelism === shard);
}

/** D1, from the other side: who has the split. */
export function shardOfSplit(ids: readonly string[], id: string, parallelism: number): number {
  return [...ids].sort().indexOf(id) % parallelism;
}

export function redistributeSplits(
  old: readonly (Readonly<Record<string, SplitState>> | null)[],
  shard: number,
  parallelism: number,
): Readonly<Record<string, SplitState>> | null {
  const known = old.filter((splits) => splits !== null);
  if (known.length === 0) return null;
  const all = new Map(known.flatMap((splits) => Object.entries(splits)));
  return Object.fromEntries(dealSplits([...all.keys()], shard, parallelism).map((id) => [id, all.get(id)!]));
}

/** `old[i]` is what old shard i held under the name; undefined where it held nothing. */
export function redistributeOperatorState(
  old: readonly (OperatorStateValue | undefined)[],
  shard: number,
  parallelism: number,
): OperatorStateValue | undefined {
  const kind = old.find((value) => value !== undefined)?.kind;
  if (kind === undefined) return undefined;
  return { kind, items: itemsOf(kind, old, shard, parallelism) };
}

function itemsOf(
  kind: OperatorStateValue['kind'],
  old: readonly (OperatorStateValue | undefined)[],
  shard: number,
  parallelism: number,
): readonly string[] {
  switch (kind) {
    case 'operator-list':
      // The same parallelism moves nothing: a shard's list may belong with its splits.
      if (old.length === parallelism) return old[shard]?.items ?? [];
      return old.flatMap((value) => value?.items ?? []).filter((_, index) => index % parallelism === shard);
    case 'operator-union':
      return old.flatMap((value) => value?.items ?? []);
    case 'broadcast':
      // All old copies are equal; taking turns spares one object the load of all readers.
      return old[shard % old.length]?.items ?? old.find((value) => value !== undefined)?.items ?? [];
    case 'accumulator':
      // Items stay apart: only the operator knows how to add them up.
      return old.flatMap((value, index) => (index % parallelism === shard ? (value?.items ?? []) : []));
  }
}
