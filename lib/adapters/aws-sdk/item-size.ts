import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { attributesBytes } from '../../model/item-bytes.ts';

export type Item = Readonly<Record<string, AttributeValue>>;

/** As DynamoDB counts it. */
export function itemBytes(item: Item): number {
  return attributesBytes(item);
}
