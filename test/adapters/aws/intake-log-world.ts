/** An intake log on a DynamoDB in the process, and objects in memory; each writer is a process that knows nothing yet. */
import { DynamoDbIntakeLog } from '../../../lib/adapters/dynamodb/intake-log.ts';
import { createMemoryStores } from '../../../lib/adapters/memory/memory-stores.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import { systemTimers } from '../../../lib/adapters/system/timers.ts';
import type { ObjectStore } from '../../../lib/ports/object-store.ts';
import { dynamodbWorld } from './dynamodb-world.ts';

const clock = { now: () => 1_700_000_000_000, monotonic: () => 0 };

export function intakeLogWorld() {
  const system = { clock, timers: systemTimers, random: systemRandom };
  const { fake, meter, client } = dynamodbWorld(system);
  const objects: ObjectStore = createMemoryStores(system).objects;
  const writer = () => new DynamoDbIntakeLog({ ...system, client, table: 'intakes', scope: 'job', objects, firstPauseMs: 1 });
  return { fake, meter, objects, writer };
}
