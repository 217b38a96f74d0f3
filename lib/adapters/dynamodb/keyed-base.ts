/**
 * The base of keyed state in DynamoDB: an item per row, a partition per key group.
 *
 * KD1. A write is fenced per row by its condition; one that fails says that a newer row stays, and is no failure of the write.
 * KD2. Tombstones go by DynamoDB's own TTL, `tombstonesKeptMs` after their write at the earliest.
 */
import { invariant } from '../../base/invariant.ts';
import type { RowTable } from '../../model/row-table.ts';
import { timerStates, type StateAddress } from '../../model/state-row.ts';
import { rowsOfTables } from '../../model/table-rows.ts';
import type { BaseRow, DueQuery, KeyedBase, KeyPage } from '../../ports/keyed-base.ts';
import type { Item } from '../aws-sdk/item-size.ts';
import { itemOfRow, rowAttributes, rowOfItem } from './base-rows.ts';
import { dueRows } from './due-rows.ts';
import { inParallel } from './in-parallel.ts';
import { bodyOf } from './item-body.ts';
import { rowKeys, type ItemKey } from './item-keys.ts';
import { beforeAll } from './key-text.ts';
import { scanRows } from './scan-rows.ts';
import { SpaceRegister, type RegisteredBucket } from './space-register.ts';
import { number } from './stored-record.ts';
import type { Table } from './table.ts';

const writesAtOnce = 32;
const partitionsAtOnce = 8;
/** Fewer cost a call each, where there are tombstones between the rows. */
const rowsPerPageMin = 100;

export class DynamoDbKeyedBase implements KeyedBase {
  readonly #table: Table;
  readonly #register: SpaceRegister;
  readonly #tombstonesKeptMs: number;

  constructor(table: Table, tombstonesKeptMs: number) {
    this.#table = table;
    this.#register = new SpaceRegister(table);
    this.#tombstonesKeptMs = tombstonesKeptMs;
  }

  async read(space: string, addresses: readonly StateAddress[]): Promise<readonly (string | undefined)[]> {
    const keys = addresses.map((address) => rowKeys.row(space, address));
    const distinct = new Map(keys.map((key) => [idOf(key), key]));
    const items = await this.#table.readMany([...distinct.values()], 'pk, sk, x');
    const values = new Map(items.map((item) => [idOf({ pk: item['pk']!.S!, sk: item['sk']!.S! }), bodyOf(item)]));
    return keys.map((key) => values.get(idOf(key)));
  }

  async readKey(space: string, address: Omit<StateAddress, 'namespace'>, page?: KeyPage): Promise<readonly BaseRow[]> {
    const { pk, from, to } = rowKeys.key(space, address);
    const after = page === undefined ? undefined : rowKeys.row(space, { ...address, namespace: page.after }).sk + beforeAll;
    const rowsMax = page?.rowsMax ?? Number.POSITIVE_INFINITY;
    const rows: BaseRow[] = [];
    for (let behind: string | undefined; rows.length < rowsMax;) {
      const itemsMax = page === undefined ? {} : { itemsMax: Math.max(rowsMax - rows.length, rowsPerPageMin) };
      const found = await this.#table.page({
        range: { pk, from: after ?? from, to },
        after: behind,
        attributes: rowAttributes,
        ...itemsMax,
      });
      for (const item of found.items) {
        const row = rowOfItem(item, { operator: address.operator, keyGroup: address.keyGroup });
        if (row !== undefined && rows.length < rowsMax) rows.push(row);
      }
      behind = found.next;
      if (behind === undefined) break;
    }
    return rows;
  }

  async readDue(space: string, query: DueQuery): Promise<readonly BaseRow[]> {
    invariant(rowKeys.isTimerState(query.state), 'keyed-base', 'only timers are kept by time', { state: query.state });
    return dueRows(this.#table, space, query);
  }

  async write(space: string, version: number, tables: readonly RowTable[]): Promise<void> {
    const expiresAt = Math.ceil((this.#table.clock.now() + this.#tombstonesKeptMs) / 1_000);
    const items = new Map<string, Item>();
    const buckets = new Map<string, RegisteredBucket>();
    for (const row of rowsOfTables(tables)) {
      const item = itemOfRow(space, row, version, expiresAt);
      // Of an address that comes twice the last row counts.
      items.set(idOf({ pk: item['pk']!.S!, sk: item['sk']!.S! }), item);
      const bucket = rowKeys.bucketOf(row.keyGroup);
      buckets.set(`${bucket} ${row.operator}`, { operator: row.operator, bucket });
    }
    await this.#register.add(space, buckets.values());
    const condition = { expression: 'attribute_not_exists(v) OR v <= :v', values: { ':v': number(version) } };
    await inParallel([...items.values()], writesAtOnce, (item) => this.#table.write(item, condition));
  }

  scan(space: string, query: Parameters<KeyedBase['scan']>[1]): ReturnType<KeyedBase['scan']> {
    return scanRows(this.#table, space, query);
  }

  /** KD2. */
  async purgeTombstones(): Promise<number> {
    return 0;
  }

  async drop(space: string): Promise<void> {
    const buckets = await this.#register.read(space);
    const partitions = buckets.flatMap((bucket) => partitionsOf(space, bucket));
    await inParallel(partitions, partitionsAtOnce, (pk) => this.#table.removeAll({ pk }));
  }
}

function partitionsOf(space: string, { operator, bucket }: RegisteredBucket): string[] {
  const first = rowKeys.firstOfBucket(bucket);
  const ofRows = Array.from({ length: rowKeys.keyGroupsPerBucket }, (_, i) => rowKeys.rows(space, operator, first + i));
  return [...ofRows, ...Object.values(timerStates).map((state) => rowKeys.timers(space, operator, state, bucket))];
}

function idOf({ pk, sk }: ItemKey): string {
  return `${pk}\n${sk}`;
}
