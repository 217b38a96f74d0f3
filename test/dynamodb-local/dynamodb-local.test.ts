/** The same suites on AWS's own engine: `npm run test:dynamodb-local`. */
import { GetItemCommand, PutItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { billedUnits } from '../../lib/adapters/aws-sdk/billed-units.ts';
import { createDynamoDbClient } from '../../lib/adapters/aws-sdk/dynamodb-client.ts';
import { Meter } from '../../lib/adapters/aws-sdk/meter.ts';
import { createDynamoDbStores } from '../../lib/adapters/dynamodb/dynamodb-stores.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { credentials, tombstonesKeptMs } from '../adapters/aws/dynamodb-world.ts';
import { ManualTime } from '../contract/manual-time.ts';
import { auditLogContract } from '../contract/audit-log.contract.ts';
import { jobHistoryContract } from '../contract/job-history.contract.ts';
import { keyedBaseContract, keyedBaseModelContract } from '../contract/keyed-base.contract.ts';
import { recordsContract } from '../contract/records.contract.ts';
import { shardRecord } from '../contract/sample-records.ts';
import { dynamodbServerStores, newTable } from '../contract/dynamodb-server.ts';

const endpoint = process.env['DYNAMODB_LOCAL'];
if (endpoint === undefined) throw new Error('Run it by `npm run test:dynamodb-local`: that starts the server.');

function connected(meter?: Meter): DynamoDBClient {
  return createDynamoDbClient({
    endpoint: endpoint!,
    region: 'eu-test-1',
    credentials,
    requestTimeoutMs: 10_000,
    ...(meter === undefined ? {} : { meter }),
  });
}

const make = dynamodbServerStores(connected);

recordsContract('DynamoDB Local', make);
jobHistoryContract('DynamoDB Local', make);
auditLogContract('DynamoDB Local', make);
keyedBaseContract('DynamoDB Local', make, 'expire');
keyedBaseModelContract('DynamoDB Local', make, 20);

describe("AWS's own engine", () => {
  const meter = new Meter();
  const client = connected(meter);
  let table: string;
  beforeAll(async () => {
    table = await newTable(client);
  });
  afterAll(() => client.destroy());

  test('bills items of every size as our rules compute it', async () => {
    for (const bytes of [10, 1_000, 1_010, 1_013, 1_014, 1_015, 1_016, 1_024, 2_040, 4_000, 4_090, 5_000, 20_000]) {
      const key = { pk: { S: 'key' }, sk: { S: String(bytes) } };
      const Item = { ...key, v: { N: '12345' }, x: { S: 'é'.repeat(bytes / 2) } };
      const put = { TableName: table, Item, ReturnConsumedCapacity: 'TOTAL' } as const;
      const stored = await client.send(new PutItemCommand(put));
      expect(stored.ConsumedCapacity?.CapacityUnits, `${bytes}`).toBe(billedUnits('dynamodb', 'PutItem', put, { output: {} }).units);
      const get = { TableName: table, Key: key, ConsistentRead: true, ReturnConsumedCapacity: 'TOTAL' } as const;
      const { Item: read, ConsumedCapacity } = await client.send(new GetItemCommand(get));
      expect(ConsumedCapacity?.CapacityUnits, `${bytes}`).toBe(billedUnits('dynamodb', 'GetItem', get, { output: { Item: read } }).units);
    }
  });

  test('takes a commit as one request of one unit', async () => {
    const { clock } = new ManualTime();
    const stores = createDynamoDbStores({ client, table, clock, timers: systemTimers, random: systemRandom, tombstonesKeptMs });
    meter.take();
    expect(await stores.shards.commit(shardRecord(), { version: 0, attempt: 1 })).toEqual({ outcome: 'committed' });
    expect(meter.take()).toEqual([{ service: 'dynamodb', operation: 'PutItem', unit: 'write-unit', requests: 1, units: 1 }]);
  });
});
