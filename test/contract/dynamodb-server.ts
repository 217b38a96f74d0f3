/** The DynamoDB adapter on a server: a table of its own for each fixture. What DynamoDB does not keep is memory's. */
import { CreateTableCommand, DeleteTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { createDynamoDbStores } from '../../lib/adapters/dynamodb/dynamodb-stores.ts';
import { createMemoryStores } from '../../lib/adapters/memory/memory-stores.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { tombstonesKeptMs } from '../adapters/aws/dynamodb-world.ts';
import type { MakeStores } from './fixture.ts';

export async function newTable(client: DynamoDBClient): Promise<string> {
  const table = `sluice-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  return table;
}

export function dynamodbServerStores(connect: () => DynamoDBClient): MakeStores {
  return async (options) => {
    const memory = createMemoryStores(options);
    const client = connect();
    const table = await newTable(client);
    const stores = createDynamoDbStores({ ...options, client, table, timers: systemTimers, tombstonesKeptMs });
    return {
      stores: { ...memory, ...stores },
      audit: stores.audit,
      dispose: async () => {
        await client.send(new DeleteTableCommand({ TableName: table }));
        client.destroy();
        await memory.close();
      },
    };
  };
}
