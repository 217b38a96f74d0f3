/**
 * The base catches up with the floor: rows of completed epochs' deltas are written to it, lazily and coalesced.
 *
 * AB1. The base only ever advances to the floor: what a retained or pinned checkpoint shows is never overwritten by something newer.
 * AB2. In order of epochs; a delta leaves the record in the commit after its rows have been written. Writing them twice changes nothing.
 */
import type { DeltaRef } from '../model/shard-record.ts';
import { limits } from '../base/limits.ts';
import { inRange, type KeyGroupRange } from '../model/key-group.ts';
import { encodeDecodedValue } from '../model/value-json.ts';
import type { BaseRow } from '../ports/keyed-base.ts';
import { decodeDeltaBlocks, type DeltaTable } from '../state/delta-codec.ts';
import type { LiveShard } from './live-shard.ts';
import { readNamed } from './named-objects.ts';
import type { Runtime } from './runtime-deps.ts';

/** Whether so much has gathered that the base must follow, now or as soon as the floor allows: a restore would have to read all of it. */
export function baseLags(shard: LiveShard): boolean {
  return shard.backend !== null && shard.deltas.reduce((sum, { rows }) => sum + rows, 0) >= limits.baseAdvanceRows;
}

/** Writes at most one bounded step; the commit that follows makes it count. False where nothing was due. */
export async function advanceBase(runtime: Runtime, shard: LiveShard, floor: number): Promise<boolean> {
  if (shard.backend === null) return false;
  const step = nextStep(shard, floor);
  if (step.length === 0) return false;
  const epoch = step[step.length - 1]!.epoch;
  for (const rows of await latestRows(runtime, step)) await runtime.deps.base.write(shard.topology.address.job, epoch, rows);
  shard.backend.baseWritten();
  const done = new Set(step.map(({ key }) => key));
  shard.deltas = shard.deltas.filter(({ key }) => !done.has(key));
  // Only when no part of an epoch is left does the base stand at it.
  const whole = !shard.deltas.some((ref) => ref.epoch <= epoch);
  shard.baseEpoch = Math.max(shard.baseEpoch, whole ? epoch : baseHoldsSomething);
  shard.backend.baseEpoch = shard.baseEpoch;
  return true;
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

/**
 * Newest first, so that of a row that changed in several epochs only the last value is written; within one epoch few rows come twice, and in order the
 * last is what stays. A delta may hold rows of other shards' key groups: its reference says which are this shard's.
 */
async function latestRows(runtime: Runtime, step: readonly DeltaRef[]): Promise<BaseRow[][]> {
  const blocksOf = async (key: string): Promise<DeltaTable[][]> => decodeDeltaBlocks(await readNamed(runtime.deps.objects, key), key);
  if (step.length === 1) {
    const { key, keyGroups } = step[0]!;
    return (await blocksOf(key)).map((tables) => rowsOf(tables, keyGroups, null));
  }
  const seen = new Map<string, Set<string>>();
  const pages: BaseRow[][] = [];
  for (const { key, keyGroups } of [...step].reverse()) {
    for (const tables of (await blocksOf(key)).reverse()) pages.push(rowsOf(tables, keyGroups, seen));
  }
  return pages;
}

/** Rows of one block, where no address comes twice. */
function rowsOf(tables: readonly DeltaTable[], range: KeyGroupRange, seen: Map<string, Set<string>> | null): BaseRow[] {
  const rows: BaseRow[] = [];
  for (const { operator, state, keys, keyGroups, namespaces, values, deleted } of tables) {
    const taken = seen === null ? null : setOf(seen, `${operator}\u0000${state}`);
    for (let i = 0; i < keys.length; i++) {
      const keyGroup = keyGroups[i]!;
      if (!inRange(range, keyGroup)) continue;
      const key = keys[i]!;
      const namespace = namespaces[i]!;
      if (taken !== null && !isFirst(taken, key, namespace)) continue;
      rows.push({ operator, state, keyGroup, key, namespace, value: deleted[i] === 1 ? undefined : encodeDecodedValue(values[i]) });
    }
  }
  return rows;
}

function isFirst(taken: Set<string>, key: string, namespace: string): boolean {
  const address = namespace === '' ? key : `${key}\u0000${namespace}`;
  if (taken.has(address)) return false;
  taken.add(address);
  return true;
}

function setOf(sets: Map<string, Set<string>>, id: string): Set<string> {
  let set = sets.get(id);
  if (set === undefined) sets.set(id, (set = new Set<string>()));
  return set;
}
