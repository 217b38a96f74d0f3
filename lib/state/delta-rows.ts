/** Deltas row by row, where speed does not count. */
import { appendRow, newDeltaTable, type DeltaTable } from './delta-table.ts';
import type { StateRow } from '../model/state-row.ts';
import { decodeDeltaTables, encodeDeltaTables } from './delta-codec.ts';

export function encodeDelta(rows: readonly StateRow[]): Uint8Array {
  const tables = new Map<string, DeltaTable>();
  for (const row of rows) {
    const id = `${row.operator}\u0000${row.state}`;
    let table = tables.get(id);
    if (table === undefined) tables.set(id, (table = newDeltaTable(row.operator, row.state)));
    appendRow(table, row.key, row.keyGroup, row.namespace, row.value, row.deleted);
  }
  return encodeDeltaTables([...tables.values()]);
}

export function decodeDelta(bytes: Uint8Array, what: string): StateRow[] {
  return decodeDeltaTables(bytes, what).flatMap((table) =>
    table.keys.map((key, i) => ({
      operator: table.operator,
      state: table.state,
      keyGroup: table.keyGroups[i]!,
      key,
      namespace: table.namespaces[i]!,
      value: table.values[i],
      deleted: table.deleted[i] === 1,
    })),
  );
}
