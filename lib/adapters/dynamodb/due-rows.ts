/**
 * Timers of a range of key groups by time: each partition has those of one bucket of key groups in order, and they are merged.
 *
 * DR1. A row is handed out when every partition that is not at its end has been read beyond it.
 */
import { inRange } from '../../model/key-group-range.ts';
import type { BaseRow, DueQuery } from '../../ports/keyed-base.ts';
import { compareUtf8 } from './compare-utf8.ts';
import { rowAttributes, rowOfItem } from './base-rows.ts';
import { inParallel } from './in-parallel.ts';
import { rowKeys, type ItemRange } from './item-keys.ts';
import { beforeAll } from './key-text.ts';
import type { Table } from './table.ts';

interface Read {
  readonly sk: string;
  readonly row: BaseRow;
}

interface Stream {
  readonly range: ItemRange;
  /** Sort key up to which it was read; undefined: to its end. */
  readUpTo: string | undefined;
  begun: boolean;
}

const partitionsAtOnce = 16;
/** Of the key groups beside the range, and of tombstones, some are read for nothing. */
const spareRows = 64;

export async function dueRows(table: Table, space: string, query: DueQuery): Promise<BaseRow[]> {
  const streams = streamsOf(space, query);
  const perStream = Math.ceil(query.rowsMax / streams.length) + spareRows;
  const rows: BaseRow[] = [];
  let waiting: Read[] = [];
  while (rows.length < query.rowsMax) {
    // The one that holds the others up, at the beginning all.
    const held = lowest(streams);
    const behind = streams.filter(({ begun, readUpTo }) => !begun || (readUpTo !== undefined && readUpTo === held));
    const read = await inParallel(behind, partitionsAtOnce, (stream) => readOn(table, stream, query, perStream));
    waiting = [...waiting, ...read.flat()].sort((a, b) => compareUtf8(a.sk, b.sk));
    const bound = lowest(streams);
    const ready = bound === undefined ? waiting.length : firstBeyond(waiting, bound);
    rows.push(...waiting.slice(0, ready).map(({ row }) => row));
    waiting = waiting.slice(ready);
    if (bound === undefined) break;
  }
  return rows.slice(0, query.rowsMax);
}

function streamsOf(space: string, { operator, state, keyGroups, after }: DueQuery): Stream[] {
  const from = after === null ? {} : { from: rowKeys.timer(after) + beforeAll };
  const streams: Stream[] = [];
  for (let bucket = rowKeys.bucketOf(keyGroups.start); bucket <= rowKeys.bucketOf(keyGroups.end); bucket++) {
    streams.push({ range: { pk: rowKeys.timers(space, operator, state, bucket), ...from }, readUpTo: undefined, begun: false });
  }
  return streams;
}

async function readOn(table: Table, stream: Stream, query: DueQuery, itemsMax: number): Promise<Read[]> {
  const { operator, state, keyGroups } = query;
  const { items, next } = await table.page({ range: stream.range, after: stream.readUpTo, itemsMax, attributes: rowAttributes });
  stream.begun = true;
  stream.readUpTo = next;
  return items.flatMap((item) => {
    const sk = item['sk']!.S!;
    const keyGroup = rowKeys.keyGroupOfTimer(sk);
    const row = inRange(keyGroups, keyGroup) ? rowOfItem(item, { operator, state, keyGroup }) : undefined;
    return row === undefined ? [] : [{ sk, row }];
  });
}

/** DR1; undefined: all are at their end. */
function lowest(streams: readonly Stream[]): string | undefined {
  let bound: string | undefined;
  for (const { readUpTo } of streams) {
    if (readUpTo !== undefined && (bound === undefined || compareUtf8(readUpTo, bound) < 0)) bound = readUpTo;
  }
  return bound;
}

function firstBeyond(waiting: readonly Read[], bound: string): number {
  const found = waiting.findIndex(({ sk }) => compareUtf8(sk, bound) > 0);
  return found < 0 ? waiting.length : found;
}
