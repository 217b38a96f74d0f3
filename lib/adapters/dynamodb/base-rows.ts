/**
 * Rows of keyed state as items. A row without a body is a tombstone.
 *
 * BR1. A tombstone carries when it may go (`expiresAt`, in seconds, for DynamoDB's own TTL): its fence stands until then, and nothing reads it.
 */
import type { OperatorUid } from '../../base/ids.ts';
import { decodeValue, encodeDecodedValue } from '../../model/value-json.ts';
import type { StateAddress, StateRow } from '../../model/state-row.ts';
import type { BaseRow } from '../../ports/keyed-base.ts';
import type { Item } from '../aws-sdk/item-size.ts';
import { bodyOf, withBody } from './item-body.ts';
import { rowKeys } from './item-keys.ts';
import { number } from './stored-record.ts';

/** Of keys that were cut: state, key group, key and namespace as they are. */
const placeName = 'k';
export const rowAttributes = `pk, sk, x, ${placeName}`;

export function itemOfRow(space: string, row: StateRow, version: number, tombstoneExpiresAt: number): Item {
  const { operator, state, keyGroup, key, namespace } = row;
  const { pk, sk } = rowKeys.row(space, row);
  const item: Item = { pk: { S: pk }, sk: { S: sk }, v: number(version), ...placeWhereCut(sk, row) };
  if (row.deleted) return { ...item, expiresAt: number(tombstoneExpiresAt) };
  return withBody(item, encodeDecodedValue(row.value), {
    hint: "Keep less under one key: in a map state that is declared with load: 'by-entry' each entry has an item of its own.",
    facts: { operator, state, keyGroup, key: shortened(key), namespace: shortened(namespace) },
  });
}

/** undefined: a tombstone. */
export function rowOfItem(
  item: Item,
  of: { readonly operator: OperatorUid; readonly state?: string; readonly keyGroup: number },
): BaseRow | undefined {
  const value = bodyOf(item);
  if (value === undefined) return undefined;
  const sk = item['sk']!.S!;
  const { operator, state, keyGroup } = of;
  const told = state === undefined ? rowKeys.placeOfRow(sk, keyGroup) : rowKeys.placeOfTimer(sk, state);
  const place = told ?? (decodeValue(item[placeName]!.S!) as Omit<StateAddress, 'operator'>);
  return { operator, ...place, value };
}

function placeWhereCut(sk: string, { state, keyGroup, key, namespace }: StateRow): Item {
  const told = rowKeys.isTimerState(state) ? rowKeys.placeOfTimer(sk, state) : rowKeys.placeOfRow(sk, keyGroup);
  if (told !== undefined) return {};
  return { [placeName]: { S: encodeDecodedValue({ state, keyGroup, key, namespace }) } };
}

const shownCharacters = 200;

function shortened(text: string): string {
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}…`;
}
