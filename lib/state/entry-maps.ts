/**
 * The maps of one operator that are loaded by entry: what the element in hand may read of the current key's, and what it writes.
 *
 * Owns: which entries may be read, and how many are in memory. Does not own: reading them from the base (load-wanted), what has changed (change-log),
 * what clears leave in the base (map-sweeper).
 * EM1. An element reads what was asked for it, and what it has written itself. Whether more is in memory never decides: who asks for too little is told
 *      so in every run, and not only after a cold start.
 * EM2. An entry leaves memory only when its last change is at or below the base's epoch (KB2), never changed ones at any time, between batches.
 * EM3. What is cleared and may not have reached the base is deleted row by row; what the base has is left behind in an older generation.
 */
import { limits } from '../base/limits.ts';
import { invariant } from '../base/invariant.ts';
import { canonicalKey } from '../model/canonical-key.ts';
import { cellsOf, type EntryCell, type EntryCells, hasReached } from './entry-cells.ts';
import { entryNotDeclared, mapNotDeclared, requestInvalid, type MapPlace } from './entry-errors.ts';
import type { EntryRequest } from './entry-request.ts';
import type { KeyEntry } from './key-entry.ts';
import type { KeyedBackend } from './keyed-backend.ts';
import { entryName, generationOf, keyTextOf, mapFactsName, type MapFacts } from './map-names.ts';
import { MapSweeper } from './map-sweeper.ts';

/** Of one map, for one element. */
interface WantedKeys {
  readonly index: number;
  /** Canonical JSON. */
  readonly keys: readonly string[] | 'all';
}

/** For one element. */
export type WantedEntries = readonly WantedKeys[];

const nothing: WantedEntries = [];

export class EntryMaps {
  readonly sweeper: MapSweeper;
  readonly #backend: KeyedBackend;
  readonly #indexes = new Map<string, number>();
  /** By index: the last element that may read the whole map. */
  readonly #wholeFor: number[] = [];
  #element = 0;
  #count = 0;
  /** Where nothing more could leave memory: base epoch and number of entries. */
  #stuck = { baseEpoch: -2, count: 0 };

  constructor(backend: KeyedBackend) {
    this.#backend = backend;
    this.sweeper = new MapSweeper(backend);
  }

  get isUsed(): boolean {
    return this.#indexes.size > 0;
  }

  /** Indexes of the namespaced states that are such maps. */
  get indexes(): Iterable<number> {
    return this.#indexes.values();
  }

  /** Entries in memory. */
  get count(): number {
    return this.#count;
  }

  declare(state: string, index: number): void {
    this.#indexes.set(state, index);
  }

  /** @throws SluiceError where the function did not return what it may */
  wanted(request: EntryRequest | undefined): WantedEntries {
    if (request === undefined) return nothing;
    const { operator } = this.#backend.options;
    if (typeof request !== 'object' || request === null) throw requestInvalid(operator, String(request));
    const wanted: WantedKeys[] = [];
    for (const [state, keys] of Object.entries(request)) {
      const index = this.#indexes.get(state);
      if (index === undefined) throw requestInvalid(operator, `${state}, which is no map that is loaded by entry`);
      if (keys === undefined) continue;
      if (keys !== 'all' && !Array.isArray(keys)) throw requestInvalid(operator, `something for ${state} that is no array`);
      wanted.push({ index, keys: keys === 'all' ? keys : keys.map(canonicalKey) });
    }
    return wanted;
  }

  /** The next element begins: it may read these, and nothing that another has asked for. */
  begin(entry: KeyEntry, wanted: WantedEntries): void {
    this.#element++;
    for (const { index, keys } of wanted) {
      if (keys === 'all') {
        this.#wholeFor[index] = this.#element;
        continue;
      }
      const cells = cellsOf(entry, index);
      const generation = generationOf(cells);
      for (const key of keys) this.#loaded(cells, entryName(generation, key)).element = this.#element;
    }
  }

  /** What was loaded can only be missing where an element of the same batch has cleared the map. */
  #loaded(cells: EntryCells, name: string): EntryCell {
    const cell = cells.get(name);
    if (cell !== undefined) return cell;
    invariant(cells.complete, 'EM1', 'an entry was asked for and is not in memory', { operator: this.#backend.options.operator });
    return this.add(cells, name, undefined, 0);
  }

  add(cells: EntryCells, name: string, value: unknown, changedEpoch: number): EntryCell {
    this.#count++;
    return cells.add(name, value, changedEpoch);
  }

  read(index: number, key: string): unknown {
    const cells = cellsOf(this.#backend.current!, index);
    const cell = cells.get(entryName(generationOf(cells), key));
    if (cell?.element === this.#element || this.#wholeFor[index] === this.#element) return cell?.value;
    throw entryNotDeclared(this.#place(index), key);
  }

  /** undefined removes. */
  write(index: number, key: string, value: unknown): void {
    const entry = this.#backend.current!;
    const cells = cellsOf(entry, index);
    const name = entryName(generationOf(cells), key);
    const cell = cells.get(name) ?? this.add(cells, name, undefined, cells.complete ? 0 : unknown);
    cell.element = this.#element;
    // A removal of what is known not to be there changes nothing.
    if (value === undefined && cell.value === undefined && cell.changedEpoch !== unknown) return;
    this.#put(entry, index, name, cell, value);
  }

  #put(entry: KeyEntry, index: number, name: string, cell: EntryCell, value: unknown): void {
    cell.value = value;
    cell.changedEpoch = this.#backend.changes.epoch;
    this.#backend.changes.markName(entry, `${index}|${name}`);
  }

  /** The keys of all entries. */
  keys(index: number): string[] {
    if (this.#wholeFor[index] !== this.#element) throw mapNotDeclared(this.#place(index));
    const cells = cellsOf(this.#backend.current!, index);
    const generation = generationOf(cells);
    const keys: string[] = [];
    for (const [name, { value }] of cells) {
      const key = value === undefined ? undefined : keyTextOf(name, generation);
      if (key !== undefined) keys.push(key);
    }
    return keys;
  }

  /** Needs nothing to be loaded. */
  clear(index: number): void {
    const entry = this.#backend.current!;
    const cells = cellsOf(entry, index);
    this.#wholeFor[index] = this.#element;
    if (cells.complete && cells.size <= limits.mapSweepRows) this.#clearEach(entry, index, cells);
    else this.#nextGeneration(entry, index, cells);
  }

  #clearEach(entry: KeyEntry, index: number, cells: EntryCells): void {
    for (const [name, cell] of cells) if (name !== mapFactsName && cell.value !== undefined) this.#put(entry, index, name, cell, undefined);
  }

  #nextGeneration(entry: KeyEntry, index: number, cells: EntryCells): void {
    const facts: MapFacts = { generation: generationOf(cells) + 1, swept: false };
    for (const [name, cell] of cells) {
      if (name === mapFactsName) continue;
      if (hasReached(this.#backend.baseEpoch, cell)) {
        cells.delete(name);
        this.#count--;
      } else if (cell.value !== undefined) {
        this.#put(entry, index, name, cell, undefined);
      }
    }
    const own = cells.get(mapFactsName) ?? this.add(cells, mapFactsName, undefined, 0);
    this.#put(entry, index, mapFactsName, own, facts);
    cells.complete = true;
    this.sweeper.add(entry, index);
  }

  /** An entry as a row of a delta or segment has it; undefined = deleted. */
  restore(entry: KeyEntry, index: number, name: string, value: unknown, epoch: number): void {
    const cells = cellsOf(entry, index);
    const cell = cells.get(name) ?? this.add(cells, name, value, epoch);
    cell.value = value;
    cell.changedEpoch = epoch;
    if (name === mapFactsName) this.sweeper.note(entry, index, value as MapFacts | undefined);
  }

  /** Drops entries that the base has, beyond `countMax`, oldest first and some more, so that it does not begin again at once. */
  evict(entries: Iterable<KeyEntry>, countMax: number): void {
    const { baseEpoch } = this.#backend;
    if (this.#count <= countMax) return;
    if (baseEpoch === this.#stuck.baseEpoch && this.#count < this.#stuck.count * 1.1) return;
    const enough = Math.floor(countMax * 0.9);
    for (const entry of entries) {
      for (const index of this.indexes) this.#evictFrom(cellsOf(entry, index), baseEpoch, enough);
      if (this.#count <= enough) return;
    }
    this.#stuck = { baseEpoch, count: this.#count };
  }

  #evictFrom(cells: EntryCells, baseEpoch: number, enough: number): void {
    for (const [name, cell] of cells) {
      if (this.#count <= enough) return;
      if (name === mapFactsName || !hasReached(baseEpoch, cell)) continue;
      cells.delete(name);
      if (cell.value !== undefined) cells.complete = false;
      this.#count--;
    }
  }

  /** The key leaves memory. */
  forget(entry: KeyEntry): void {
    for (const index of this.indexes) this.#count -= cellsOf(entry, index).size;
  }

  #place(index: number): MapPlace {
    const state = [...this.#indexes].find(([, other]) => other === index)![0];
    return { operator: this.#backend.options.operator, state };
  }
}

/** Neither loaded nor written: the base may have it. Replaced before anybody can see it. */
const unknown = -1;
