/** The stores on a DynamoDB in the process, and what tests need to look behind them. */
import { createDynamoDbClient } from '../../../lib/adapters/aws-sdk/dynamodb-client.ts';
import { Meter } from '../../../lib/adapters/aws-sdk/meter.ts';
import { createDynamoDbStores } from '../../../lib/adapters/dynamodb/dynamodb-stores.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import { systemTimers } from '../../../lib/adapters/system/timers.ts';
import type { Clock, Random, Timers } from '../../../lib/ports/system.ts';
import { FakeDynamoDb } from './fake-dynamodb.ts';

export const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
export const tombstonesKeptMs = 60_000;

export interface DynamoDbWorldOptions {
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly random?: Random;
  readonly attemptsMax?: number;
}

const standingClock: Clock = { now: () => 1_700_000_000_000, monotonic: () => 0 };

export function dynamodbWorld(options: DynamoDbWorldOptions = {}) {
  const { clock = standingClock, timers = systemTimers, random = systemRandom, attemptsMax = 3 } = options;
  const fake = new FakeDynamoDb(() => clock.now());
  const meter = new Meter();
  const client = createDynamoDbClient({ meter, requestHandler: fake, region: 'eu-test-1', credentials, attemptsMax });
  const stores = createDynamoDbStores({ client, table: 'sluice', clock, timers, random, tombstonesKeptMs, firstPauseMs: 1 });
  return { fake, meter, client, stores };
}
