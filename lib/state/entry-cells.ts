/** A map that is loaded by entry, as one key has it in memory: the entries that are known, by their names as rows (map-names.ts). */
import type { Epoch } from '../base/ids.ts';
import type { KeyEntry, NamespacedCell } from './key-entry.ts';

export interface EntryCell extends NamespacedCell {
  /** undefined = there is no such entry; that too may have to be kept, because the base may still have it. */
  value: unknown;
  /** Last epoch in which it changed; at or below the base's epoch it may leave memory. 0 = never. */
  changedEpoch: Epoch;
  /** Number of the last element that may read it. */
  element: number;
}

export class EntryCells extends Map<string, EntryCell> {
  /** Every entry of the map that there is, is here. */
  complete = false;

  /** A cell that was not there. */
  add(name: string, value: unknown, changedEpoch: Epoch): EntryCell {
    const cell: EntryCell = { value, changedEpoch, element: 0 };
    this.set(name, cell);
    return cell;
  }
}

/** Of a state that is a map loaded by entry. */
export function cellsOf(entry: KeyEntry, index: number): EntryCells {
  return entry.named!.spaces[index] as EntryCells;
}

/** Whether the base has what the cell says: what never changed came from there, or is not there either. */
export function hasReached(baseEpoch: Epoch, { changedEpoch }: EntryCell): boolean {
  return changedEpoch <= baseEpoch || changedEpoch === 0;
}
