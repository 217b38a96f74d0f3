/** The sinks `dynamodb` and `sqs` on services in the process, and what tests need to look behind them. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { withAwsSinks, type AwsSinkOptions } from '../../../lib/adapters/connectors/aws-sinks.ts';
import { createDynamoDbClient } from '../../../lib/adapters/aws-sdk/dynamodb-client.ts';
import { createSqsClient } from '../../../lib/adapters/aws-sdk/sqs-client.ts';
import { createMemoryStores } from '../../../lib/adapters/memory/memory-stores.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import { systemTimers } from '../../../lib/adapters/system/timers.ts';
import { sinkPartsPrefix } from '../../../lib/model/sink-part-keys.ts';
import type { SinkCommitter } from '../../../lib/ports/connectors.ts';
import type { ObjectStore } from '../../../lib/ports/object-store.ts';
import { ManualTime } from '../../contract/manual-time.ts';
import { FakeDynamoDb } from '../aws/fake-dynamodb.ts';
import { FakeSqs, type FakeSqsOptions } from '../aws/fake-sqs.ts';
import { jobA, jobB } from './sink-committer.contract.ts';

const region = 'eu-west-1';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface SinkWorldOptions extends Pick<AwsSinkOptions, 'durable' | 'sliceRecords'> {
  readonly keys?: readonly string[];
  /** Of the SDK, with its pauses. */
  readonly attemptsMax?: number;
  readonly queue?: FakeSqsOptions['queue'];
}

export function sinkWorld({ keys = ['id'], attemptsMax = 1, queue = {}, ...options }: SinkWorldOptions = {}) {
  const time = new ManualTime();
  const table = new FakeDynamoDb(() => time.clock.now(), keys);
  const sqs = new FakeSqs({ ...time, random: systemRandom, queue });
  const clients = {
    dynamoDb: async () => createDynamoDbClient({ requestHandler: table, region, credentials, attemptsMax }),
    sqs: async () => createSqsClient({ requestHandler: sqs.service.requestHandler, region, credentials, attemptsMax }),
  };
  const system = { clock: time.clock, timers: systemTimers, random: systemRandom, firstPauseMs: 1 };
  /** Of another process each time: nothing is remembered but what is stored. */
  const sinksOn = (objects: ObjectStore): Readonly<Record<'dynamodb' | 'sqs', SinkCommitter>> => {
    const { sinks } = withAwsSinks({ sources: {}, sinks: {} }, objects, { clients, ...system, ...options });
    return { dynamodb: sinks['dynamodb']!, sqs: sinks['sqs']! };
  };
  return { time, table, sqs, sinksOn, clients };
}

export function newObjects(): ObjectStore {
  return createMemoryStores({ ...new ManualTime(), random: { hex: (digits) => '0'.repeat(digits), fraction: () => 0 } }).objects;
}

export async function stagedIn(objects: ObjectStore): Promise<string[]> {
  const keys = (await Promise.all([jobA, jobB].map((job) => objects.list(sinkPartsPrefix(job))))).flat().map(({ key }) => key);
  return keys.filter((key) => key.endsWith('.staged') && !keys.includes(`${key}.delivered`));
}

/** What a reader sees: rows without what the sink keeps in them. */
export function rowsOf(table: FakeDynamoDb): Record<string, unknown>[] {
  return table
    .all()
    .filter((item) => item['sluiceDeleted'] === undefined)
    .map(({ sluiceVersion: _, ...item }) => valueOf({ M: item }) as Record<string, unknown>);
}

function valueOf({ S, N, B, BOOL, L, M }: AttributeValue): unknown {
  if (M !== undefined) return Object.fromEntries(Object.entries(M).map(([name, value]) => [name, valueOf(value)]));
  if (L !== undefined) return L.map(valueOf);
  return S ?? B ?? BOOL ?? (N === undefined ? null : Number(N));
}

/** What the consumer of a FIFO queue sees: nothing twice, because nothing is visible again. */
export function consumer(
  of: ReturnType<typeof sinkWorld>,
  url: string,
): () => Promise<{ readonly body: string; readonly group: string }[]> {
  const seen: { readonly body: string; readonly group: string }[] = [];
  return async () => {
    const client = await of.clients.sqs();
    for (;;) {
      const command = new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 0, VisibilityTimeout: 30 });
      const { Messages: messages = [] } = await client.send(command);
      if (messages.length === 0) return seen;
      for (const { Body, Attributes } of messages) seen.push({ body: Body!, group: Attributes!['MessageGroupId']! });
      const receipts = messages.map(({ ReceiptHandle }, Id) => ({ Id: String(Id), ReceiptHandle: ReceiptHandle! }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries: receipts }));
    }
  };
}
