/** Deltas row by row, where speed does not count. */
import { rowsOfTables, tablesOfRows } from '../model/table-rows.ts';
import type { StateRow } from '../model/state-row.ts';
import { decodeDeltaTables, encodeDeltaTables } from './delta-codec.ts';

export function encodeDelta(rows: readonly StateRow[]): Uint8Array {
  return encodeDeltaTables(tablesOfRows(rows));
}

export function decodeDelta(bytes: Uint8Array, what: string): StateRow[] {
  return [...rowsOfTables(decodeDeltaTables(bytes, what))];
}
