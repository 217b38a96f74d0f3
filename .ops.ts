import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { createDynamoDbStores } from './lib/adapters/dynamodb/dynamodb-stores.ts';
import { systemClock } from './lib/adapters/system/clock.ts';
import { systemTimers } from './lib/adapters/system/timers.ts';
import { systemRandom } from './lib/adapters/system/random.ts';
const client = new DynamoDBClient({});
const { TableNames } = await client.send(new ListTablesCommand({}));
const stores = createDynamoDbStores({ client, table: TableNames![0]!, clock: systemClock, timers: systemTimers, random: systemRandom, tombstonesKeptMs: 1e6 });
for (const o of await stores.operations.list(process.env.JOB as never)) console.log(o.kind, o.status, o.location, JSON.stringify(o.progress), JSON.stringify(o.failure)?.slice(0, 300));
