import { tablesOfRows } from '../../lib/model/table-rows.ts';
import type { RowTable } from '../../lib/model/row-table.ts';
import type { StateAddress } from '../../lib/model/state-row.ts';

/** Rows as the base takes them; undefined = delete. */
export function baseTables(rows: readonly (StateAddress & { readonly value: unknown })[]): RowTable[] {
  return tablesOfRows(rows.map((row) => ({ ...row, deleted: row.value === undefined })));
}
