/** All rows of an operator in a range of key groups, page by page: the partitions one after the other, those of timers last. */
import type { OperatorUid } from '../../base/ids.ts';
import { inRange, type KeyGroupRange } from '../../model/key-group-range.ts';
import { timerStates } from '../../model/state-row.ts';
import type { BaseRow, KeyedBase } from '../../ports/keyed-base.ts';
import type { Item } from '../aws-sdk/item-size.ts';
import { rowAttributes, rowOfItem } from './base-rows.ts';
import { rowKeys } from './item-keys.ts';
import type { Table } from './table.ts';

interface Partition {
  readonly pk: string;
  readonly rowOf: (item: Item) => BaseRow | undefined;
}

/** Partition, and the sort key in it to go on behind. */
type ScanPlace = readonly [index: number, after: string | null];

/** Most key groups of a small state are empty: the more were, the more are asked at once. */
const partitionsAtOnceMax = 16;

export async function scanRows(table: Table, space: string, query: Parameters<KeyedBase['scan']>[1]): ReturnType<KeyedBase['scan']> {
  const partitions = partitionsOf(space, query.operator, query.keyGroups);
  const rows: BaseRow[] = [];
  let [index, after] = query.after === null ? ([0, null] as ScanPlace) : (JSON.parse(query.after) as ScanPlace);
  for (let atOnce = 1; index < partitions.length;) {
    const itemsMax = query.rowsMax - rows.length;
    const asked = partitions.slice(index, index + atOnce);
    const pages = await Promise.all(
      asked.map(({ pk }, i) =>
        table.page({ range: { pk }, after: (i === 0 ? after : null) ?? undefined, itemsMax, attributes: rowAttributes }),
      ),
    );
    const before = rows.length;
    for (const [i, { items, next }] of pages.entries()) {
      const taken = items.slice(0, query.rowsMax - rows.length);
      rows.push(...taken.map(asked[i]!.rowOf).filter((row) => row !== undefined));
      // Where it was not read to its end, it is gone on with, and what was read behind it is read again.
      after = taken.length < items.length ? (taken.at(-1)?.['sk']?.S ?? after) : (next ?? null);
      if (after !== null || taken.length < items.length) break;
      index += 1;
    }
    if (rows.length === query.rowsMax) break;
    atOnce = rows.length > before ? 1 : Math.min(partitionsAtOnceMax, atOnce * 2);
  }
  return { rows, next: index < partitions.length ? JSON.stringify([index, after] satisfies ScanPlace) : null };
}

function partitionsOf(space: string, operator: OperatorUid, keyGroups: KeyGroupRange): Partition[] {
  const partitions: Partition[] = [];
  for (let keyGroup = keyGroups.start; keyGroup <= keyGroups.end; keyGroup++) {
    partitions.push({ pk: rowKeys.rows(space, operator, keyGroup), rowOf: (item) => rowOfItem(item, { operator, keyGroup }) });
  }
  for (const state of Object.values(timerStates)) {
    for (let bucket = rowKeys.bucketOf(keyGroups.start); bucket <= rowKeys.bucketOf(keyGroups.end); bucket++) {
      partitions.push({ pk: rowKeys.timers(space, operator, state, bucket), rowOf: (item) => timerOf(item, operator, state, keyGroups) });
    }
  }
  return partitions;
}

function timerOf(item: Item, operator: OperatorUid, state: string, keyGroups: KeyGroupRange): BaseRow | undefined {
  const keyGroup = rowKeys.keyGroupOfTimer(item['sk']!.S!);
  return inRange(keyGroups, keyGroup) ? rowOfItem(item, { operator, state, keyGroup }) : undefined;
}
