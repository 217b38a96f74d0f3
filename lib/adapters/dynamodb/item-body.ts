/**
 * What stands in an item: a record's or a value's text, compressed where that saves a billed KB.
 *
 * IB1. No item is sent that DynamoDB would refuse for its size: who wrote it is told what to do.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { errorMessage, SluiceError, type ErrorFacts } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { itemBytes, type Item } from '../aws-sdk/item-size.ts';

const billedBytes = 1_024;
const bodyName = 'x';

/** @throws SluiceError `SLUICE-ITEM-TOO-LARGE` */
export function withBody(item: Item, text: string, what: { readonly hint: string; readonly facts: ErrorFacts }): Item {
  const plain: Item = { ...item, [bodyName]: { S: text } };
  const plainBytes = itemBytes(plain);
  if (plainBytes <= billedBytes) return plain;
  const packed: Item = { ...item, [bodyName]: { B: deflateRawSync(text) } };
  const packedBytes = itemBytes(packed);
  const best = units(packedBytes) < units(plainBytes) ? packed : plain;
  const bytes = Math.min(packedBytes, plainBytes);
  if (bytes <= limits.itemBytesMax) return best;
  throw new SluiceError('SLUICE-ITEM-TOO-LARGE', `an item of ${bytes} bytes is larger than DynamoDB takes (${limits.itemBytesMax})`, {
    hint: what.hint,
    facts: { ...what.facts, bytes, bytesMax: limits.itemBytesMax },
  });
}

/** undefined where the item has none: a tombstone. */
export function bodyOf(item: Item): string | undefined {
  const body: AttributeValue | undefined = item[bodyName];
  if (body === undefined) return undefined;
  if (body.S !== undefined) return body.S;
  try {
    return inflateRawSync(body.B!, { maxOutputLength: limits.unpackedBytesMax }).toString('utf8');
  } catch (error) {
    throw new SluiceError('SLUICE-DATA-CORRUPT', `an item of the table is damaged: ${errorMessage(error)}`, {
      hint: 'Something outside Sluice has written to the table. Restore the job from a savepoint.',
      facts: { pk: item['pk']?.S, sk: item['sk']?.S },
      cause: error,
    });
  }
}

function units(bytes: number): number {
  return Math.ceil(bytes / billedBytes);
}
