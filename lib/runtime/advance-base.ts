/**
 * The base catches up with the floor: rows of completed epochs' deltas are written to it, lazily and coalesced.
 *
 * AB1. The base only ever advances to the floor: what a retained or pinned checkpoint shows is never overwritten by something newer.
 * AB2. In order of epochs; a delta leaves the record in the commit after its rows have been written. Writing them twice changes nothing.
 */
import type { DeltaRef } from '../model/shard-record.ts';
import { limits } from '../base/limits.ts';
import { inRange, type KeyGroupRange } from '../model/key-group.ts';
import { encodeValue } from '../model/value-json.ts';
import type { BaseRow } from '../ports/keyed-base.ts';
import { decodeDeltaTables, type DeltaTable } from '../state/delta-codec.ts';
import type { LiveShard } from './live-shard.ts';
import { readNamed } from './named-objects.ts';
import type { Runtime } from './runtime-deps.ts';

/** Writes at most one bounded step; the commit that follows makes it count. */
export async function advanceBase(runtime: Runtime, shard: LiveShard, floor: number): Promise<void> {
  if (shard.backend === null) return;
  const step = nextStep(shard, floor);
  if (step.length === 0) return;
  const rows = new Map<string, BaseRow>();
  for (const ref of step) {
    const tables = decodeDeltaTables(await readNamed(runtime.deps.objects, ref.key), ref.key);
    for (const table of tables) collect(rows, table, ref.keyGroups);
  }
  const epoch = step[step.length - 1]!.epoch;
  await runtime.deps.base.write(shard.topology.address.job, epoch, [...rows.values()]);
  shard.backend.baseWritten();
  const done = new Set(step.map(({ key }) => key));
  shard.deltas = shard.deltas.filter(({ key }) => !done.has(key));
  // Only when no part of an epoch is left does the base stand at it.
  const whole = !shard.deltas.some((ref) => ref.epoch <= epoch);
  shard.baseEpoch = Math.max(shard.baseEpoch, whole ? epoch : baseHoldsSomething);
  shard.backend.baseEpoch = shard.baseEpoch;
}

/** A base epoch of -1 says that nothing was ever written, and nothing is read then. */
const baseHoldsSomething = 0;

/** The oldest parts at or below the floor, once enough has gathered: a key that changes in every epoch costs one write per advance. */
function nextStep(shard: LiveShard, floor: number): DeltaRef[] {
  const ready = shard.deltas.filter(({ epoch }) => epoch <= floor);
  const rows = ready.reduce((sum, ref) => sum + ref.rows, 0);
  const epochs = new Set(ready.map(({ epoch }) => epoch)).size;
  if (rows < limits.baseAdvanceRows && epochs < limits.baseAdvanceEpochs) return [];
  const step: DeltaRef[] = [];
  let taken = 0;
  for (const ref of ready) {
    if (step.length > 0 && taken + ref.rows > limits.baseRowsPerAdvance) break;
    step.push(ref);
    taken += ref.rows;
  }
  return step;
}

/** A delta may hold rows of other shards' key groups: its reference says which are this shard's. */
function collect(rows: Map<string, BaseRow>, table: DeltaTable, keyGroups: KeyGroupRange): void {
  const { operator, state } = table;
  for (let i = 0; i < table.keys.length; i++) {
    const keyGroup = table.keyGroups[i]!;
    if (!inRange(keyGroups, keyGroup)) continue;
    const key = table.keys[i]!;
    const namespace = table.namespaces[i]!;
    const value = table.deleted[i] === 1 ? undefined : encodeValue(table.values[i]);
    rows.set(`${operator}\u0000${state}\u0000${namespace}\u0000${key}`, { operator, state, keyGroup, key, namespace, value });
  }
}
