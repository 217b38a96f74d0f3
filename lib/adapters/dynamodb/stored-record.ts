/** Records as items: the text of value-json, and beside it only what conditions compare. */
import type { ErrorFacts } from '../../base/errors.ts';
import { decodeValue, encodeDecodedValue } from '../../model/value-json.ts';
import type { Item } from '../aws-sdk/item-size.ts';
import { bodyOf, withBody } from './item-body.ts';
import type { ItemKey } from './item-keys.ts';
import type { PutCondition } from './table.ts';

/** Nothing is stored under the key. */
export const isNew: PutCondition = { expression: 'attribute_not_exists(pk)' };

export function recordItem({ pk, sk }: ItemKey, record: object, facts: ErrorFacts, compared: Item = {}): Item {
  const item: Item = { pk: { S: pk }, sk: { S: sk }, ...compared };
  return withBody(item, encodeDecodedValue(record), {
    hint: 'Run the job with fewer shards or fewer channels, so that its records are smaller.',
    facts,
  });
}

/** `T` is what was stored under the item's key. */
export function recordOf<T>(item: Item): T {
  return decodeValue(bodyOf(item)!) as T;
}

export function number(value: number): { readonly N: string } {
  return { N: String(value) };
}
