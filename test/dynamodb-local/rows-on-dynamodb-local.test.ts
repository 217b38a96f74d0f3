/** The sink of rows on AWS's own engine: what it refuses and compares, the tests in the process only believe. */
import { CreateTableCommand, ScanCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createDynamoDbClient } from '../../lib/adapters/aws-sdk/dynamodb-client.ts';
import { withAwsSinks } from '../../lib/adapters/connectors/aws-sinks.ts';
import type { ConnectorSpec } from '../../lib/model/job-plan.ts';
import { sinkHarnessOf } from '../../lib/testing/index.ts';
import { dynamoDbSink } from '../../lib/index.ts';
import { credentials } from '../adapters/aws/dynamodb-world.ts';
import { partName, publisher } from '../adapters/connectors/sink-committer.contract.ts';
import { newObjects } from '../adapters/connectors/sink-world.ts';

const endpoint = process.env['DYNAMODB_LOCAL'];
if (endpoint === undefined) throw new Error('Run it by `npm run test:dynamodb-local`: that starts the server.');
const client: DynamoDBClient = createDynamoDbClient({ endpoint, region: 'eu-test-1', credentials, requestTimeoutMs: 10_000 });
let table = '';
let tables = 0;

beforeEach(async () => {
  table = `rows-${process.pid}-${tables++}`;
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'id', AttributeType: 'S' },
        { AttributeName: 'n', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'id', KeyType: 'HASH' },
        { AttributeName: 'n', KeyType: 'RANGE' },
      ],
    }),
  );
});
afterAll(() => client.destroy());

/** Through the operator, as a job does it, and in a process that knows of no other. */
async function deliver(records: readonly object[], checkpoint: number, attempt = 1): Promise<void> {
  const sink = dynamoDbSink<object>({ table, key: ['id', 'n'], deletes: (record) => 'gone' in record });
  const harness = sinkHarnessOf(sink);
  for (const record of records) harness.processElement(record);
  const clients = { dynamoDb: async () => client, sqs: () => Promise.reject(new Error('no queue')) };
  const committer = withAwsSinks({ sources: {}, sinks: {} }, newObjects(), { clients }).sinks['dynamodb']!;
  const spec = sink.connector as ConnectorSpec;
  const part = await committer.stage(spec, partName({ checkpoint, attempt }), harness.written());
  expect(await committer.publish(spec, part, publisher)).toBe('published');
}

const rows = async () => (await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }))).Items ?? [];

test('rows stay as the newest checkpoint has them, whoever comes late, and deleted ones stay deleted', async () => {
  await deliver([{ id: 'a', n: 1, of: 7 }, { id: 'b', n: 1, of: 7 }], 7, 2); // prettier-ignore
  await deliver([{ id: 'b', n: 1, gone: true }], 8, 2);
  await deliver([{ id: 'a', n: 1, of: 6 }, { id: 'b', n: 1, of: 6 }, { id: 'c', n: 1, of: 6 }], 6); // prettier-ignore
  // The same once more: the condition refuses it, and what stands there is our own.
  await deliver([{ id: 'a', n: 1, of: 7 }], 7, 2);
  const found = Object.fromEntries((await rows()).map(({ id, of, sluiceDeleted }) => [id!.S, sluiceDeleted?.BOOL ?? of!.N]));
  expect(found).toEqual({ a: '7', b: true, c: '6' });
});

test('every value that the operator takes is taken by the engine', async () => {
  const values = [
    1e21,
    1e-130,
    9.99e125,
    -1.5,
    0,
    -0,
    Number.MAX_SAFE_INTEGER,
    0.1,
    10n ** 37n - 1n,
    10n ** 125n,
    '',
    'é😀',
    true,
    null,
    [],
    {},
    [[{ a: [] }]],
  ];
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  await deliver([...values, new Uint8Array(0), new Uint8Array([255]), deep(31)].map((value, n) => ({ id: 'x', n, value })), 1); // prettier-ignore
  await deliver([{ id: 'k'.repeat(2_048), n: -1e-5 }], 1);
  expect(await rows()).toHaveLength(values.length + 4);
});

test('a row that the operator just takes is taken by the engine', async () => {
  let [taken, refused] = [400_000, 409_600];
  const sink = dynamoDbSink<object>({ table, key: ['id', 'n'] });
  while (refused - taken > 1) {
    const bytes = Math.floor((taken + refused) / 2);
    try {
      sinkHarnessOf(sink).processElement({ id: 'x', n: 1, value: 'x'.repeat(bytes) });
      taken = bytes;
    } catch {
      refused = bytes;
    }
  }
  await deliver([{ id: 'x', n: 1, value: 'x'.repeat(taken) }], 1);
  expect(409_600 - taken).toBeLessThan(400);
});
