/**
 * Sinks `dynamodb` and `sqs`: rows and messages of what is committed, delivered when their checkpoint is complete.
 *
 * AS1. Nothing of the AWS SDK is loaded before the first record is delivered: not for jobs without such a sink, and not where parts are only staged.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Meter } from '../aws-sdk/meter.ts';
import type { Connectors } from '../../ports/connectors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { Clock, Random, Timers } from '../../ports/system.ts';
import { systemClock } from '../system/clock.ts';
import { systemRandom } from '../system/random.ts';
import { systemTimers } from '../system/timers.ts';
import { createStoredPartSink } from './stored-part-sink.ts';

/** By region; undefined = that of the environment. */
export interface AwsSinkClients {
  readonly dynamoDb: (region: string | undefined) => Promise<DynamoDBClient>;
  readonly sqs: (region: string | undefined) => Promise<SQSClient>;
}

export interface AwsSinkOptions {
  readonly clients?: AwsSinkClients;
  /** Counts the requests of clients that are made here. */
  readonly meter?: Meter;
  /** Fulfilled when everything that was stored until now survives a crash. */
  readonly durable?: () => Promise<void>;
  readonly sliceRecords?: number;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly random?: Random;
  /** Of the first pause before something is tried again. */
  readonly firstPauseMs?: number;
}

/** Region, credentials and endpoint as for every program of AWS: environment, profile, role. */
function ownClients(meter: Meter | undefined): AwsSinkClients {
  const settings = (region: string | undefined) => ({
    ...(region === undefined ? {} : { region }),
    ...(meter === undefined ? {} : { meter }),
  });
  return {
    dynamoDb: async (region) => (await import('../aws-sdk/dynamodb-client.ts')).createDynamoDbClient(settings(region)),
    sqs: async (region) => (await import('../aws-sdk/sqs-client.ts')).createSqsClient(settings(region)),
  };
}

/** The same connectors and these, whose parts stand in the same store as the job's other objects. */
export function withAwsSinks({ sources, sinks }: Connectors, objects: ObjectStore, options: AwsSinkOptions = {}): Connectors {
  const { meter, clients = ownClients(meter), durable, sliceRecords, ...system } = options;
  const tools = { clock: systemClock, timers: systemTimers, random: systemRandom, ...system };
  const common = {
    objects,
    ...(durable === undefined ? {} : { durable }),
    ...(sliceRecords === undefined ? {} : { sliceRecords }),
  };
  const dynamoDb = onceByRegion(clients.dynamoDb);
  const sqs = onceByRegion(clients.sqs);
  const own = {
    dynamodb: createStoredPartSink({
      ...common,
      deliver: async (sink, slice) => (await import('./put-rows.ts')).putRows({ ...tools, client: dynamoDb }, sink, slice),
    }),
    sqs: createStoredPartSink({
      ...common,
      deliver: async (sink, slice) => (await import('./send-messages.ts')).sendMessages({ ...tools, client: sqs }, sink, slice),
    }),
  };
  return { sources, sinks: { ...own, ...sinks } };
}

function onceByRegion<Client>(make: (region: string | undefined) => Promise<Client>): (region: string | undefined) => Promise<Client> {
  const made = new Map<string | undefined, Promise<Client>>();
  return (region) => {
    const known = made.get(region);
    if (known !== undefined) return known;
    const making = make(region);
    made.set(region, making);
    // What failed is tried again by the next call.
    making.catch(() => made.delete(region));
    return making;
  };
}
