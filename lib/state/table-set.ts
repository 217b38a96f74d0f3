import type { OperatorUid } from '../base/ids.ts';
import { newRowTable, type OpenRowTable } from '../model/open-row-table.ts';
import type { RowTable } from '../model/row-table.ts';

/** Delta tables of one operator by state, made as they are needed. */
export class TableSet {
  readonly #operator: OperatorUid;
  readonly #tables = new Map<string, OpenRowTable>();

  constructor(operator: OperatorUid) {
    this.#operator = operator;
  }

  of(state: string): OpenRowTable {
    let table = this.#tables.get(state);
    if (table === undefined) this.#tables.set(state, (table = newRowTable(this.#operator, state)));
    return table;
  }

  list(): RowTable[] {
    return [...this.#tables.values()];
  }
}
