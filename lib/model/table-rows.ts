/** Tables row by row, where speed does not count. */
import { appendRow, newRowTable, type OpenRowTable } from './open-row-table.ts';
import { isDeletedAt, namespaceAt, type RowTable } from './row-table.ts';
import type { StateRow } from './state-row.ts';

export function* rowsOfTables(tables: readonly RowTable[]): Iterable<StateRow> {
  for (const table of tables) {
    const { operator, state, keys, keyGroups, values } = table;
    for (let row = 0; row < keys.length; row++) {
      const place = { operator, state, keyGroup: keyGroups[row]!, key: keys[row]!, namespace: namespaceAt(table, row) };
      yield { ...place, value: values[row], deleted: isDeletedAt(table, row) };
    }
  }
}

/** One table per operator and state, in the order in which they come first. */
export function tablesOfRows(rows: Iterable<StateRow>): RowTable[] {
  const tables = new Map<string, OpenRowTable>();
  for (const { operator, state, key, keyGroup, namespace, value, deleted } of rows) {
    const id = `${operator}\u0000${state}`;
    let table = tables.get(id);
    if (table === undefined) tables.set(id, (table = newRowTable(operator, state)));
    appendRow(table, key, keyGroup, namespace, value, deleted);
  }
  return [...tables.values()];
}
