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
import { newRowTable } from '../model/open-row-table.ts';
import { rowsOfTables, tablesOfRows } from '../model/table-rows.ts';
import { sliceTable, type RowTable, type TableKeys } from '../model/row-table.ts';
import type { StateRow } from '../model/state-row.ts';
import { decodeDeltaBlocks, type DeltaBlock } from '../state/delta-codec.ts';
import { readNamed } from './named-objects.ts';
import type { Runtime } from './runtime-deps.ts';

/** Rows of one version; no address comes twice. */
export interface Slice {
  readonly version: number;
  readonly tables: readonly RowTable[];
}

interface Page {
  readonly version: number;
  readonly tables: RowTable[];
  /** Rows of the first table that have been taken. */
  taken: number;
}

/** Of delta objects that this process wrote itself. */
type KnownKeys = ReadonlyMap<string, readonly TableKeys[]>;

/**
 * Some deltas on their way into the base, piece by piece: first they are read, then written. Kept in memory only: begun again, it writes the same.
 *
 * Small epochs are put together: of a row that changed in several only the last is written. A large delta goes alone, and each block of it is written as
 * it is, because few rows come twice inside one epoch.
 */
export class BaseStep {
  readonly #refs: DeltaRef[] = [];
  /** Deltas still to read, by epoch. */
  readonly #unread: (readonly DeltaRef[])[];
  readonly #rows = new Map<string, StateRow>();
  readonly #pages: Page[] = [];

  /** `ready`: at or below the floor, in order of their epochs, all that there are. */
  constructor(ready: readonly DeltaRef[]) {
    const first = ready[0]!;
    this.#unread = first.rows >= limits.baseRowsPerStep ? [[first]] : smallEpochs(ready);
  }

  /** What the base has once the step is over. */
  get refs(): readonly DeltaRef[] {
    return this.#refs;
  }

  get isRead(): boolean {
    return this.#unread.length === 0;
  }

  get isEmpty(): boolean {
    return this.isRead && this.#pages.length === 0;
  }

  /** Reads the next epoch. */
  async read(runtime: Runtime, known: KnownKeys): Promise<void> {
    const refs = this.#unread.shift()!;
    const isAlone = this.#refs.length === 0 && this.isRead && refs.length === 1;
    this.#refs.push(...refs);
    for (const ref of refs) {
      for (const { number, tables } of await blocksOf(runtime, ref, known)) {
        const own = tables.map((table) => rowsIn(table, ref.keyGroups));
        if (isAlone) this.#addPage(versionOf(ref.epoch, number), own);
        else for (const row of rowsOfTables(own)) this.#rows.set(addressOf(row), row);
      }
    }
    if (isAlone) return;
    if (this.#rows.size >= limits.baseRowsPerStep) this.#unread.length = 0;
    if (this.isRead) this.#addPage(versionOf(refs[0]!.epoch, limits.deltaBlocksPerEpochMax), tablesOfRows(this.#rows.values()));
  }

  #addPage(version: number, tables: readonly RowTable[]): void {
    const filled = tables.filter(({ keys }) => keys.length > 0);
    if (filled.length > 0) this.#pages.push({ version, tables: filled, taken: 0 });
  }

  /** At most `rowsMax` rows of one version; none where nothing was left. */
  take(rowsMax: number): Slice {
    const page = this.#pages[0];
    if (page === undefined) return { version: 0, tables: [] };
    const tables = takeFrom(page, rowsMax);
    if (page.tables.length === 0) this.#pages.shift();
    return { version: page.version, tables };
  }
}

/** Whole epochs only (BS1), the first in any case. */
function smallEpochs(ready: readonly DeltaRef[]): DeltaRef[][] {
  const epochs: DeltaRef[][] = [];
  let rows = 0;
  for (const epoch of new Set(ready.map((ref) => ref.epoch))) {
    const refs = ready.filter((ref) => ref.epoch === epoch);
    rows += rowsOf(refs);
    if (epochs.length > 0 && rows > limits.baseRowsReadPerStep) break;
    epochs.push(refs);
  }
  return epochs;
}

function takeFrom(page: Page, rowsMax: number): RowTable[] {
  const slices: RowTable[] = [];
  for (let left = rowsMax; left > 0 && page.tables.length > 0;) {
    const table = page.tables[0]!;
    const end = Math.min(table.keys.length, page.taken + left);
    slices.push(sliceTable(table, page.taken, end));
    left -= end - page.taken;
    page.taken = end;
    if (end < table.keys.length) break;
    page.tables.shift();
    page.taken = 0;
  }
  return slices;
}

/** Of a block inside an epoch; the epoch's end is behind all of them. */
function versionOf(epoch: Epoch, block: number): number {
  return epoch * (limits.deltaBlocksPerEpochMax + 1) + block;
}

async function blocksOf(runtime: Runtime, { key }: DeltaRef, known: KnownKeys): Promise<DeltaBlock[]> {
  return decodeDeltaBlocks(await readNamed(runtime.deps.objects, key), key, known.get(key));
}

/** A delta may hold rows of other shards' key groups: its reference says which are this shard's. */
function rowsIn(table: RowTable, range: KeyGroupRange): RowTable {
  if (table.keyGroups.every((keyGroup) => inRange(range, keyGroup))) return table;
  const [own] = tablesOfRows([...rowsOfTables([table])].filter(({ keyGroup }) => inRange(range, keyGroup)));
  return own ?? newRowTable(table.operator, table.state);
}

function addressOf({ operator, state, key, namespace }: StateRow): string {
  return `${operator}\u0000${state}\u0000${namespace}\u0000${key}`;
}

export function rowsOf(refs: readonly DeltaRef[]): number {
  return refs.reduce((sum, { rows }) => sum + rows, 0);
}
