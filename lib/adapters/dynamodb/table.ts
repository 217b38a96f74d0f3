/**
 * The table: the few calls that the stores make of it, in their terms.
 *
 * DT1. Reads are strongly consistent.
 * DT2. What DynamoDB puts off (throttles, unprocessed keys) is asked again after growing pauses with jitter, until `triesMax` tries in a row have brought
 *      nothing: then it is an error that says so.
 * DT3. A conditional write that is tried again may meet itself, where the answer to the first try was lost. Every such item carries a mark that no other
 *      try has; meeting it is success.
 */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type AttributeValue,
  type DynamoDBClient,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { limits } from '../../base/limits.ts';
import type { Clock, Random, Timers } from '../../ports/system.ts';
import { callFailed, isThrottle } from '../aws-sdk/call-failed.ts';
import type { Item } from '../aws-sdk/item-size.ts';
import { inParallel } from './in-parallel.ts';
import type { ItemKey, ItemRange } from './item-keys.ts';

export interface TableOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Pauses of DT2. */
  readonly firstPauseMs?: number;
  readonly triesMax?: number;
}

export interface PutCondition {
  readonly expression: string;
  readonly values?: Readonly<Record<string, AttributeValue>>;
}

type PutOutcome = { readonly outcome: 'stored' } | { readonly outcome: 'conflict'; readonly existing: Item | undefined };

interface ItemPage {
  readonly items: readonly Item[];
  /** Sort key to go on behind; undefined: there are no more. */
  readonly next: string | undefined;
}

interface PageRequest {
  readonly range: ItemRange;
  readonly after?: string | undefined;
  readonly itemsMax?: number;
  readonly attributes?: string;
  readonly newestFirst?: true;
}

const consumed = { ReturnConsumedCapacity: 'TOTAL' } as const;
const defaults = { firstPauseMs: 25, pauseMsMax: 1_000, triesMax: 8 } as const;
const callsAtOnce = 16;
const markName = 'w';
const markDigits = 16;

export class Table {
  readonly clock: Clock;
  readonly random: Random;
  readonly #options: TableOptions;
  readonly #name: string;

  constructor(options: TableOptions) {
    this.#options = options;
    this.#name = options.table;
    this.clock = options.clock;
    this.random = options.random;
  }

  async read({ pk, sk }: ItemKey): Promise<Item | undefined> {
    const { Item } = await this.#call('GetItem', (client) =>
      client.send(new GetItemCommand({ TableName: this.#name, Key: keyOf({ pk, sk }), ConsistentRead: true, ...consumed })),
    );
    return Item;
  }

  /** Without a condition, or with one that it does not matter to have failed. */
  async write(item: Item, condition?: PutCondition): Promise<void> {
    await this.#put(item, condition, 'NONE');
  }

  /** DT3. */
  async compareAndPut(item: Item, condition: PutCondition): Promise<PutOutcome> {
    const mark = this.random.hex(markDigits);
    const existing = await this.#put({ ...item, [markName]: { S: mark } }, condition, 'ALL_OLD');
    if (existing === 'stored' || existing.item?.[markName]?.S === mark) return { outcome: 'stored' };
    return { outcome: 'conflict', existing: existing.item };
  }

  /** In any order; those that are there. No key may come twice. */
  async readMany(keys: readonly ItemKey[], attributes: string): Promise<Item[]> {
    const batches: ItemKey[][] = [];
    for (let at = 0; at < keys.length; at += limits.batchGetItemsMax) batches.push(keys.slice(at, at + limits.batchGetItemsMax));
    const found = await inParallel(batches, callsAtOnce, (batch) => this.#readBatch(batch.map(keyOf), attributes));
    return found.flat();
  }

  /** One page; may be short, or empty, before the end. */
  async page({ range, after, itemsMax, attributes, newestFirst }: PageRequest): Promise<ItemPage> {
    const input: QueryCommandInput = {
      TableName: this.#name,
      ...keyCondition(range),
      ConsistentRead: true,
      ...(after === undefined ? {} : { ExclusiveStartKey: keyOf({ pk: range.pk, sk: after }) }),
      ...(itemsMax === undefined ? {} : { Limit: itemsMax }),
      ...(attributes === undefined ? {} : { ProjectionExpression: attributes }),
      ...(newestFirst === undefined ? {} : { ScanIndexForward: false }),
      ...consumed,
    };
    const { Items = [], LastEvaluatedKey } = await this.#call('Query', (client) => client.send(new QueryCommand(input)));
    return { items: Items, next: LastEvaluatedKey?.['sk']?.S };
  }

  async all(range: ItemRange, attributes?: string): Promise<Item[]> {
    const items: Item[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.page({ range, after, ...(attributes === undefined ? {} : { attributes }) });
      items.push(...page.items);
      if (page.next === undefined) return items;
      after = page.next;
    }
  }

  async removeAll(range: ItemRange): Promise<void> {
    for (let after: string | undefined; ;) {
      const { items, next } = await this.page({ range, after, attributes: 'pk, sk' });
      await this.remove(items.map((item) => ({ pk: item['pk']!.S!, sk: item['sk']!.S! })));
      if (next === undefined) return;
      after = next;
    }
  }

  async remove(keys: readonly ItemKey[]): Promise<void> {
    const batches: ItemKey[][] = [];
    for (let at = 0; at < keys.length; at += limits.batchWriteItemsMax) batches.push(keys.slice(at, at + limits.batchWriteItemsMax));
    await inParallel(batches, callsAtOnce, (batch) => this.#removeBatch(batch));
  }

  async #put(
    item: Item,
    condition: PutCondition | undefined,
    returned: 'ALL_OLD' | 'NONE',
  ): Promise<'stored' | { item: Item | undefined }> {
    const command = {
      TableName: this.#name,
      Item: item,
      ...(condition === undefined ? {} : { ConditionExpression: condition.expression, ReturnValuesOnConditionCheckFailure: returned }),
      ...(condition?.values === undefined ? {} : { ExpressionAttributeValues: condition.values }),
      ...consumed,
    };
    return this.#call('PutItem', async (client) => {
      try {
        await client.send(new PutItemCommand(command));
        return 'stored';
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return { item: error.Item };
        throw error;
      }
    });
  }

  async #readBatch(keys: Item[], attributes: string): Promise<Item[]> {
    const found: Item[] = [];
    const table = this.#name;
    await this.#untilDone('BatchGetItem', keys, async (left) => {
      const request = { [table]: { Keys: left, ConsistentRead: true, ProjectionExpression: attributes } };
      const answer = await this.#call('BatchGetItem', (client) =>
        client.send(new BatchGetItemCommand({ RequestItems: request, ...consumed })),
      );
      found.push(...(answer.Responses?.[table] ?? []));
      return answer.UnprocessedKeys?.[table]?.Keys ?? [];
    });
    return found;
  }

  async #removeBatch(keys: readonly ItemKey[]): Promise<void> {
    const table = this.#name;
    const requests = keys.map((key) => ({ DeleteRequest: { Key: keyOf(key) } }));
    await this.#untilDone('BatchWriteItem', requests, async (left) => {
      const request = { [table]: left };
      const answer = await this.#call('BatchWriteItem', (client) =>
        client.send(new BatchWriteItemCommand({ RequestItems: request, ...consumed })),
      );
      return (answer.UnprocessedItems?.[table] ?? []) as typeof requests;
    });
  }

  /** DT2 for what is left over of a batch. */
  async #untilDone<T>(operation: string, entries: T[], attempt: (left: T[]) => Promise<T[]>): Promise<void> {
    let left = entries;
    for (let tries = 0; left.length > 0;) {
      const before = left.length;
      left = await attempt(left);
      tries = left.length < before ? 0 : tries + 1;
      if (tries >= this.#triesMax) throw callFailed({ name: 'ThrottlingException' }, this.#facts(operation));
      if (left.length > 0) await this.#pause(tries);
    }
  }

  /** DT2 for a call: behind the SDK's own tries. */
  async #call<T>(operation: string, call: (client: DynamoDBClient) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await call(this.#options.client);
      } catch (error) {
        if (!isThrottle(error) || tries >= this.#triesMax) throw callFailed(error, this.#facts(operation));
        await this.#pause(tries);
      }
    }
  }

  #pause(tries: number): Promise<void> {
    const { timers, random, firstPauseMs = defaults.firstPauseMs } = this.#options;
    const longestMs = Math.min(defaults.pauseMsMax, firstPauseMs * 2 ** tries);
    return new Promise((resolve) => void timers.after(longestMs * random.fraction(), resolve));
  }

  get #triesMax(): number {
    return this.#options.triesMax ?? defaults.triesMax;
  }

  #facts(operation: string) {
    return { service: 'DynamoDB', operation, table: this.#name };
  }
}

function keyOf({ pk, sk }: ItemKey): { pk: AttributeValue; sk: AttributeValue } {
  return { pk: { S: pk }, sk: { S: sk } };
}

function keyCondition({ pk, from, to }: ItemRange): Pick<QueryCommandInput, 'KeyConditionExpression' | 'ExpressionAttributeValues'> {
  const values: Record<string, AttributeValue> = { ':pk': { S: pk } };
  if (from !== undefined) values[':from'] = { S: from };
  if (to !== undefined) values[':to'] = { S: to };
  const stretch = from === undefined ? '' : to === undefined ? ' AND sk >= :from' : ' AND sk BETWEEN :from AND :to';
  return { KeyConditionExpression: `pk = :pk${stretch}`, ExpressionAttributeValues: values };
}
