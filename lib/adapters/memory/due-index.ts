/**
 * The rows of one state in one range of key groups, in order of (namespace, key group, key): due timers are its beginning.
 *
 * X1. Writing costs constant time: new entries wait unsorted, and the next reader sorts them alone and places them into sorted chunks.
 * X2. A row that was deleted stays as a dead entry until a reader passes it at the front; when most entries are dead, they are all dropped at once.
 */
import type { KeyGroup } from '../../base/ids.ts';
import type { KeyGroupRange } from '../../model/key-group-range.ts';
import type { DueCursor } from '../../ports/keyed-base.ts';
import { compareText } from './text-order.ts';

/** A stored row. It lives once: deleting it puts a tombstone in its place. */
export interface Row {
  /** `removed`: a tombstone, or replaced by one. */
  value: unknown;
  version: number;
  index: DueIndex | undefined;
}

/** No value of a user's is this. */
export const removed: unique symbol = Symbol('removed');

export interface IndexedRow {
  readonly namespace: string;
  readonly keyGroup: KeyGroup;
  readonly key: string;
  readonly row: Row;
}

const chunkLengthMax = 512;

export class DueIndex {
  readonly range: KeyGroupRange;
  #chunks: IndexedRow[][] = [];
  /** Entries of the first chunk before this one have been dropped. */
  #start = 0;
  #pending: IndexedRow[] = [];
  #size = 0;
  #dead = 0;

  constructor(range: KeyGroupRange, rows: Iterable<IndexedRow>) {
    this.range = range;
    for (const row of rows) this.add(row);
  }

  add(entry: IndexedRow): void {
    entry.row.index = this;
    this.#pending.push(entry);
  }

  /** One of its rows was deleted. */
  noteDead(): void {
    this.#dead += 1;
  }

  after(cursor: DueCursor | null, rowsMax: number): IndexedRow[] {
    this.#settle();
    this.#dropFront();
    const isAfter = (entry: IndexedRow): boolean => cursor === null || comparePlaces(entry, cursor) > 0;
    const chunks = this.#chunks;
    const first = firstIndex(0, chunks.length, (i) => isAfter(chunks[i]!.at(-1)!));
    const found: IndexedRow[] = [];
    for (let number = first; number < chunks.length && found.length < rowsMax; number++) {
      const chunk = chunks[number]!;
      const start = number === 0 ? this.#start : 0;
      for (let at = number === first ? firstIndex(start, chunk.length, (i) => isAfter(chunk[i]!)) : start; at < chunk.length; at++) {
        if (chunk[at]!.row.value === removed) continue;
        if (found.push(chunk[at]!) === rowsMax) break;
      }
    }
    return found;
  }

  #settle(): void {
    const pending = this.#pending.filter((entry) => entry.row.value !== removed);
    this.#dead -= this.#pending.length - pending.length;
    this.#pending = [];
    if (pending.length * 4 > this.#size || (this.#dead > 1024 && this.#dead * 2 > this.#size)) this.#rebuild(pending);
    else for (const entry of pending.sort(comparePlaces)) this.#insert(entry);
  }

  #rebuild(added: readonly IndexedRow[]): void {
    const kept: IndexedRow[] = [];
    let at = this.#start;
    for (const chunk of this.#chunks) {
      for (; at < chunk.length; at++) if (chunk[at]!.row.value !== removed) kept.push(chunk[at]!);
      at = 0;
    }
    // The sort finds the run that is sorted already and merges: linear but for what was added.
    const all = kept.concat(added).sort(comparePlaces);
    this.#chunks = [];
    for (let from = 0; from < all.length; from += chunkLengthMax / 2) this.#chunks.push(all.slice(from, from + chunkLengthMax / 2));
    this.#start = 0;
    this.#size = all.length;
    this.#dead = 0;
  }

  #insert(entry: IndexedRow): void {
    const chunks = this.#chunks;
    const number = Math.min(
      firstIndex(0, chunks.length, (i) => comparePlaces(chunks[i]!.at(-1)!, entry) >= 0),
      chunks.length - 1,
    );
    const chunk = chunks[number]!;
    const start = number === 0 ? this.#start : 0;
    const at = firstIndex(start, chunk.length, (i) => comparePlaces(chunk[i]!, entry) >= 0);
    chunk.splice(at, 0, entry);
    this.#size += 1;
    if (chunk.length - start > chunkLengthMax) {
      const middle = start + ((chunk.length - start) >> 1);
      chunks.splice(number, 1, chunk.slice(start, middle), chunk.slice(middle));
      if (number === 0) this.#start = 0;
    }
  }

  #dropFront(): void {
    let chunk = this.#chunks[0];
    while (chunk !== undefined && chunk[this.#start]!.row.value === removed) {
      this.#start += 1;
      this.#size -= 1;
      this.#dead -= 1;
      if (this.#start < chunk.length) continue;
      this.#chunks.shift();
      this.#start = 0;
      chunk = this.#chunks[0];
    }
  }
}

function comparePlaces(a: DueCursor, b: DueCursor): number {
  return compareText(a.namespace, b.namespace) || a.keyGroup - b.keyGroup || compareText(a.key, b.key);
}

/** The first index at or above `from` where `holds` is true; `to` where it is nowhere. `holds` goes from false to true once. */
function firstIndex(from: number, to: number, holds: (index: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
