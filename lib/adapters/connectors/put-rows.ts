/**
 * Rows into a table of DynamoDB: one conditional PutItem for each key.
 *
 * PR1. A row carries its version: creation time of the job, checkpoint, attempt, place in the part. It is stored where the stored one is lower, or there is
 *      none; whoever comes late changes nothing.
 * PR2. A refused condition is read off the item that stands there: the same version is our own write whose answer was lost, a higher one is newer. Both are
 *      what is wanted.
 * PR3. A deleted row leaves its key and version until nobody is left who could write it again: TTL takes it away.
 * PR4. Of several changes of one key only the last is written.
 */
import { ConditionalCheckFailedException, PutItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SluiceError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { awsTable } from '../../model/aws-resources.ts';
import { deletedAttribute, versionAttribute, type RowChange } from '../../model/delivered-records.ts';
import { itemAttributes, type ItemAttribute, type ItemAttributes } from '../../model/item-attributes.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import { isThrottle } from '../aws-sdk/call-failed.ts';
import { inParallel } from '../dynamodb/in-parallel.ts';
import { deliveryFailed, deliveryTriesMax, pauseBefore, type DeliveryTools } from './delivery.ts';
import { namesOption, textOption } from './option.ts';
import type { PartSlice } from './stored-part-sink.ts';

export interface RowTools extends DeliveryTools {
  readonly client: (region: string | undefined) => Promise<DynamoDBClient>;
}

const putsAtOnce = 16;
/** Somebody else writes the same item at this moment. */
const busy = /TransactionConflict|ReplicatedWriteConflict/;
const condition = `attribute_not_exists(${versionAttribute}) OR ${versionAttribute} < :version`;

export async function putRows(tools: RowTools, sink: ConnectorSpec, slice: PartSlice): Promise<void> {
  const text = textOption(sink, 'table');
  const table = awsTable(text);
  const key = namesOption(sink, 'key') ?? [];
  const place = { place: `the table ${text}`, action: 'dynamodb:PutItem on the table' };
  const client = await tools.client(table?.region);
  const expiresAt = textOption(sink, 'ttlAttribute');
  const rows = new Map<string, ItemAttributes>();
  slice.records.forEach((record, index) => {
    const change = record as RowChange;
    const version: ItemAttribute = { S: rowVersion(slice, slice.from + index) };
    const item: ItemAttributes = { ...attributesOf('item' in change ? change.item : change.key), [versionAttribute]: version };
    const expiry: ItemAttribute = { N: String(Math.ceil((tools.clock.now() + limits.rowTombstoneMs) / 1_000)) };
    rows.set(
      JSON.stringify(key.map((name) => item[name])),
      'item' in change ? item : { ...item, [deletedAttribute]: { BOOL: true }, [expiresAt]: expiry },
    );
  });
  await inParallel([...rows.values()], putsAtOnce, async (item) => {
    try {
      await putRow(tools, client, table?.id ?? text, item);
    } catch (error) {
      throw deliveryFailed(place, error);
    }
  });
}

/** PR1. Texts compare by their bytes, so numbers are written with zeros before them. */
function rowVersion({ part, origin, by }: PartSlice, index: number): string {
  const epochs = [part.checkpoint, origin.checkpoint].map((epoch) => padded(epoch, 10));
  return [padded(by.createdAtMs, 15), by.job, ...epochs, padded(origin.attempt, 8), padded(index, 10)].join('.');
}

function padded(value: number, digits: number): string {
  const text = String(value).padStart(digits, '0');
  invariant(text.length === digits && /^\d+$/.test(text), 'PR1', 'a number of a row’s version does not fit', { value, digits });
  return text;
}

async function putRow(tools: RowTools, client: DynamoDBClient, table: string, item: ItemAttributes): Promise<void> {
  const version = item[versionAttribute]!;
  const command = new PutItemCommand({
    TableName: table,
    Item: { ...item },
    ConditionExpression: condition,
    ExpressionAttributeValues: { ':version': version },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ReturnConsumedCapacity: 'TOTAL',
  });
  for (let tries = 1; ; tries++) {
    try {
      await client.send(command);
      return;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return checkStanding(error, table);
      const mayPass = isThrottle(error) || busy.test((error as Error).name);
      if (!mayPass || tries >= deliveryTriesMax) throw error;
      await pauseBefore(tries, tools);
    }
  }
}

/** PR2. An attribute of that name that is somebody else's would refuse every write, and nobody would see it. */
function checkStanding({ Item: standing }: ConditionalCheckFailedException, table: string): void {
  if (standing === undefined || standing[versionAttribute]?.S !== undefined) return;
  throw new SluiceError('SLUICE-OUTPUT-FAILED', `a row of the table ${table} has an attribute ${versionAttribute} that is not the sink's`, {
    hint: `Rename the attribute: the sink keeps in it which write is the newer one.`,
    facts: { table, attribute: versionAttribute },
  });
}

function attributesOf(row: Readonly<Record<string, unknown>>): ItemAttributes {
  const made = itemAttributes(row);
  invariant('item' in made, 'PR4', 'a row was committed that no table takes', 'problem' in made ? { ...made.problem } : {});
  return made.item;
}
