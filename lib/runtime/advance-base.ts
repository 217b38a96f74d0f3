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

/** Whether so much has gathered that the base should follow once the stream is quiet: a restore would have to read all of it. */
export function baseLags(shard: LiveShard): boolean {
  return shard.backend !== null && rowsOf(shard.deltas) >= limits.baseAdvanceRowsQuiet;
}

/**
 * Writes at most one bounded step; the commit that follows makes it count. False where nothing was due. Under load the base follows late: a row that
 * changes in every epoch is written once for several of them.
 */
export async function advanceBase(
  runtime: Runtime,
  shard: LiveShard,
  { floor, isQuiet }: { readonly floor: number; readonly isQuiet: boolean },
): Promise<boolean> {
  if (shard.backend === null) return false;
  const ready = shard.deltas.filter(({ epoch }) => epoch <= floor);
  if (!isDue(ready, isQuiet)) return false;
  const { refs, pages } = await nextStep(runtime, ready);
  const { epoch } = refs.at(-1)!;
  for (const rows of pages) await runtime.deps.base.write(shard.topology.address.job, epoch, rows);
  shard.backend.baseWritten();
  const done = new Set(refs.map(({ key }) => key));
  shard.deltas = shard.deltas.filter(({ key }) => !done.has(key));
  // Only when no part of an epoch is left does the base stand at it.
  const whole = !shard.deltas.some((ref) => ref.epoch <= epoch);
  shard.baseEpoch = Math.max(shard.baseEpoch, whole ? epoch : baseHoldsSomething);
  shard.backend.baseEpoch = shard.baseEpoch;
  return true;
}

/** A base epoch of -1 says that nothing was ever written, and nothing is read then. */
const baseHoldsSomething = 0;

function isDue(ready: readonly DeltaRef[], isQuiet: boolean): boolean {
  const epochs = new Set(ready.map(({ epoch }) => epoch)).size;
  return rowsOf(ready) >= (isQuiet ? limits.baseAdvanceRowsQuiet : limits.baseAdvanceRows) || epochs >= limits.baseAdvanceEpochs;
}

interface Step {
  readonly refs: readonly DeltaRef[];
  /** No address twice in one. */
  readonly pages: readonly (readonly BaseRow[])[];
}

/**
 * The oldest deltas, as many as bring enough rows to write: of a row that changed in several of them only the last is written. Inside one delta few
 * rows come twice, and each block of it is written as it is, in order.
 */
async function nextStep(runtime: Runtime, ready: readonly DeltaRef[]): Promise<Step> {
  const blocksOf = async ({ key }: DeltaRef): Promise<DeltaTable[][]> =>
    decodeDeltaBlocks(await readNamed(runtime.deps.objects, key), key);
  const first = ready[0]!;
  if (ready.length === 1 || first.rows >= limits.baseRowsPerAdvance) {
    return { refs: [first], pages: (await blocksOf(first)).map((tables) => [...rowsIn(tables, first.keyGroups)]) };
  }
  const rows = new Map<string, BaseRow>();
  const refs: DeltaRef[] = [];
  for (const ref of ready) {
    if (refs.length > 0 && rowsOf(refs) + ref.rows > limits.baseRowsReadPerAdvance) break;
    for (const row of rowsIn((await blocksOf(ref)).flat(), ref.keyGroups)) rows.set(addressOf(row), row);
    refs.push(ref);
    if (rows.size >= limits.baseRowsPerAdvance) break;
  }
  return { refs, pages: [[...rows.values()]] };
}

/** A delta may hold rows of other shards' key groups: its reference says which are this shard's. */
function* rowsIn(tables: readonly DeltaTable[], range: KeyGroupRange): Iterable<BaseRow> {
  for (const { operator, state, keys, keyGroups, namespaces, values, deleted } of tables) {
    for (let i = 0; i < keys.length; i++) {
      const keyGroup = keyGroups[i]!;
      if (!inRange(range, keyGroup)) continue;
      const value = deleted[i] === 1 ? undefined : encodeDecodedValue(values[i]);
      yield { operator, state, keyGroup, key: keys[i]!, namespace: namespaces[i]!, value };
    }
  }
}

function addressOf({ operator, state, key, namespace }: BaseRow): string {
  return `${operator}\u0000${state}\u0000${namespace}\u0000${key}`;
}

function rowsOf(refs: readonly DeltaRef[]): number {
  return refs.reduce((sum, { rows }) => sum + rows, 0);
}
