/**
 * What a clear has left in the base is removed later, a page at a time: as rows that are deleted in the ordinary way, with the shard's commits.
 *
 * MS1. Where the sweep of a map has come to is in memory only. Until it is over the map's own row says so, and whoever loads the key begins anew.
 */
import type { KeyEntry } from './key-entry.ts';
import { cellsOf, type EntryCells } from './entry-cells.ts';
import type { KeyedBackend } from './keyed-backend.ts';
import { generationOf, keyTextOf, mapFactsName, type MapFacts } from './map-names.ts';

interface Sweep {
  readonly entry: KeyEntry;
  readonly index: number;
  /** The last name that was read. */
  after: string;
}

export class MapSweeper {
  readonly #backend: KeyedBackend;
  readonly #sweeps = new Map<EntryCells, Sweep>();

  constructor(backend: KeyedBackend) {
    this.#backend = backend;
  }

  get hasWork(): boolean {
    return this.#sweeps.size > 0;
  }

  /** Whether the key has to stay in memory. */
  needs(entry: KeyEntry): boolean {
    if (!this.hasWork) return false;
    for (const index of this.#backend.entryMaps.indexes) if (this.#sweeps.has(cellsOf(entry, index))) return true;
    return false;
  }

  /** The map was cleared, perhaps again. */
  add(entry: KeyEntry, index: number): void {
    this.#sweeps.set(cellsOf(entry, index), { entry, index, after: mapFactsName });
  }

  /** What the map's own row says. */
  note(entry: KeyEntry, index: number, facts: MapFacts | undefined): void {
    if (facts?.swept === false) this.add(entry, index);
    else this.#sweeps.delete(cellsOf(entry, index));
  }

  /** Between batches, before a commit: reads about `rowsMax` rows and marks as deleted what is over. */
  async step(rowsMax: number): Promise<void> {
    let left = rowsMax;
    for (const [cells, sweep] of this.#sweeps) {
      left -= Math.max(1, await this.#page(cells, sweep, left));
      if (left <= 0) return;
    }
  }

  /** Rows read. */
  async #page(cells: EntryCells, sweep: Sweep, rowsMax: number): Promise<number> {
    const { entry, index } = sweep;
    const { base, space, operator } = this.#backend.options;
    const address = { operator, state: this.#backend.spaceName(index), keyGroup: entry.keyGroup, key: entry.canonical };
    const rows = await base.readKey(space, address, { after: sweep.after, rowsMax });
    const generation = generationOf(cells);
    for (const { namespace } of rows) if (keyTextOf(namespace, generation) === undefined) this.#drop(cells, sweep, namespace);
    if (rows.length === rowsMax) sweep.after = rows.at(-1)!.namespace;
    else this.#finish(cells, sweep, generation);
    return rows.length;
  }

  #drop(cells: EntryCells, { entry, index }: Sweep, name: string): void {
    // One that is in memory is deleted already, and the base will know.
    if (cells.has(name)) return;
    this.#backend.entryMaps.add(cells, name, undefined, this.#backend.changes.epoch);
    this.#backend.changes.markName(entry, `${index}|${name}`);
  }

  #finish(cells: EntryCells, { entry, index }: Sweep, generation: number): void {
    const own = cells.get(mapFactsName)!;
    own.value = { generation, swept: true } satisfies MapFacts;
    own.changedEpoch = this.#backend.changes.epoch;
    this.#backend.changes.markName(entry, `${index}|${mapFactsName}`);
    this.#sweeps.delete(cells);
  }
}
