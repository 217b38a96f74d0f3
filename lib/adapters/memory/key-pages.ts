import type { KeyPage } from '../../ports/keyed-base.ts';
import type { BaseTable } from './base-table.ts';
import { type IndexedRow, removed } from './due-index.ts';
import { compareText } from './text-order.ts';

/** One key's rows, page by page: sorted once, and not again by the page that goes on from the last. What comes meanwhile may be missing. */
export class KeyPages {
  #last: { readonly table: BaseTable; readonly key: string; readonly rows: readonly IndexedRow[]; next: number } | undefined;

  read(table: BaseTable, key: string, { after, rowsMax }: KeyPage): IndexedRow[] {
    let last = this.#last;
    const goesOn = last?.table === table && last.key === key && last.next > 0 && last.rows[last.next - 1]!.namespace === after;
    if (last === undefined || !goesOn) {
      const rows = table.ofKey(key);
      const first = rows.findIndex(({ namespace }) => compareText(namespace, after) > 0);
      last = { table, key, rows, next: first < 0 ? rows.length : first };
    }
    const page: IndexedRow[] = [];
    for (; last.next < last.rows.length && page.length < rowsMax; last.next++) {
      const row = table.get(key, last.rows[last.next]!.namespace);
      if (row !== undefined && row.value !== removed) page.push({ ...last.rows[last.next]!, row });
    }
    this.#last = last.next < last.rows.length ? last : undefined;
    return page;
  }

  forget(): void {
    this.#last = undefined;
  }
}
