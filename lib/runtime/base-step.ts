/**
 * What the base takes next: rows of the oldest deltas.
 *
 * BS1. An address has one value in a version, whoever writes it: that of its block, or, where whole epochs were put together, that of the last one's
 *      end. So a zombie that is still at an earlier step changes nothing.
 */
import type { Epoch } from '../base/ids.ts';
import { limits } from '../base/limits.ts';
import { inRange, type KeyGroupRange } from '../model/key-group-range.ts';
import type { DeltaRef } from '../model/shard-record.ts';
import { encodeDecodedValue } from '../model/value-json.ts';
import type { BaseRow } from '../ports/keyed-base.ts';
import { decodeDeltaBlocks, type DeltaBlock } from '../state/delta-codec.ts';
import type { DeltaTable, TableKeys } from '../state/delta-table.ts';
import { readNamed } from './named-objects.ts';
import type { Runtime } from './runtime-deps.ts';

/** Rows of one version; no address comes twice. */
interface Page {
  readonly version: number;
  readonly rows: Iterable<BaseRow>;
}

export interface Slice {
  readonly version: number;
  readonly rows: readonly BaseRow[];
}

/** Some deltas on their way into the base, slice by slice. Kept in memory only: begun again, it writes the same. */
export class BaseStep {
  readonly refs: readonly DeltaRef[];
  readonly #pages: { readonly version: number; readonly rows: Iterator<BaseRow, unknown> }[];

  constructor(refs: readonly DeltaRef[], pages: readonly Page[]) {
    this.refs = refs;
    this.#pages = pages.map(({ version, rows }) => ({ version, rows: rows[Symbol.iterator]() }));
  }

  get isEmpty(): boolean {
    return this.#pages.length === 0;
  }

  /** At most `rowsMax` rows of one version; none where nothing was left. */
  take(rowsMax: number): Slice {
    const page = this.#pages[0]!;
    const rows = takeFrom(page.rows, rowsMax);
    if (rows.length < rowsMax) this.#pages.shift();
    return { version: page.version, rows };
  }
}

function takeFrom(rows: Iterator<BaseRow, unknown>, rowsMax: number): BaseRow[] {
  const taken: BaseRow[] = [];
  while (taken.length < rowsMax) {
    const next = rows.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

/** Of delta objects that this process wrote itself. */
type KnownKeys = ReadonlyMap<string, readonly TableKeys[]>;

/**
 * As many of the oldest epochs as bring enough rows to write: of a row that changed in several of them only the last is written. A large delta goes
 * alone, and each block of it is written as it is: few rows come twice inside one epoch.
 */
export async function nextBaseStep(runtime: Runtime, ready: readonly DeltaRef[], known: KnownKeys): Promise<BaseStep> {
  const first = ready[0]!;
  if (ready.length === 1 || first.rows >= limits.baseRowsPerStep) {
    const blocks = await blocksOf(runtime, first, known);
    const pages = blocks.map(({ number, tables }) => ({ version: versionOf(first.epoch, number), rows: rowsIn(tables, first.keyGroups) }));
    return new BaseStep([first], pages);
  }
  const rows = new Map<string, BaseRow>();
  const refs: DeltaRef[] = [];
  for (const epoch of new Set(ready.map((ref) => ref.epoch))) {
    const own = ready.filter((ref) => ref.epoch === epoch);
    if (refs.length > 0 && rowsOf(refs) + rowsOf(own) > limits.baseRowsReadPerStep) break;
    for (const ref of own) {
      for (const { tables } of await blocksOf(runtime, ref, known))
        for (const row of rowsIn(tables, ref.keyGroups)) rows.set(addressOf(row), row);
    }
    refs.push(...own);
    if (rows.size >= limits.baseRowsPerStep) break;
  }
  return new BaseStep(refs, [{ version: versionOf(refs.at(-1)!.epoch, limits.deltaBlocksPerEpochMax), rows: rows.values() }]);
}

/** Of a block inside an epoch; the epoch's end is behind all of them. */
function versionOf(epoch: Epoch, block: number): number {
  return epoch * (limits.deltaBlocksPerEpochMax + 1) + block;
}

async function blocksOf(runtime: Runtime, { key }: DeltaRef, known: KnownKeys): Promise<DeltaBlock[]> {
  return decodeDeltaBlocks(await readNamed(runtime.deps.objects, key), key, known.get(key));
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

export function rowsOf(refs: readonly DeltaRef[]): number {
  return refs.reduce((sum, { rows }) => sum + rows, 0);
}
