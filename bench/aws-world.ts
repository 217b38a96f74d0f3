/** Stores on the AWS adapters, over services that answer in this process, and everything that AWS would bill for it. */
import { createDynamoDbClient } from '../lib/adapters/aws-sdk/dynamodb-client.ts';
import { Meter } from '../lib/adapters/aws-sdk/meter.ts';
import { createS3Client } from '../lib/adapters/aws-sdk/s3-client.ts';
import { createSchedulerClient } from '../lib/adapters/aws-sdk/scheduler-client.ts';
import { createSqsClient } from '../lib/adapters/aws-sdk/sqs-client.ts';
import { createDynamoDbStores } from '../lib/adapters/dynamodb/dynamodb-stores.ts';
import { answerBatch } from '../lib/adapters/lambda/answer-batch.ts';
import { createMemoryStores, type LocalStores } from '../lib/adapters/memory/memory-stores.ts';
import { createS3ObjectStore } from '../lib/adapters/s3/object-store.ts';
import { decodeDelayed } from '../lib/adapters/sqs/delayed-message.ts';
import { createSqsDelay } from '../lib/adapters/sqs/delay.ts';
import { createSqsReceiver } from '../lib/adapters/sqs/message-receiver.ts';
import { createSqsSender } from '../lib/adapters/sqs/message-sender.ts';
import { relayDelayed } from '../lib/adapters/sqs/relay.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { systemRandom } from '../lib/adapters/system/random.ts';
import { systemTimers } from '../lib/adapters/system/timers.ts';
import type { MessageReceiver } from '../lib/ports/message-queue.ts';
import { FakeDynamoDb } from '../test/adapters/aws/fake-dynamodb.ts';
import { FakeS3 } from '../test/adapters/aws/fake-s3.ts';
import { FakeScheduler } from '../test/adapters/aws/fake-scheduler.ts';
import { FakeSqs } from '../test/adapters/aws/fake-sqs.ts';

export interface AwsWorld {
  readonly stores: LocalStores;
  readonly meter: Meter;
  /** Receives that brought something: each is an invocation. Those that brought nothing AWS does at its own pace, with or without records. */
  readonly receives: { full: number; empty: number };
}

const system = { clock: systemClock, timers: systemTimers, random: systemRandom };
const logger = { log: () => undefined };
const tombstonesKeptMs = 1_200_000;

export function createAwsWorld(): AwsWorld {
  const meter = new Meter();
  const common = { meter, region: 'us-east-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } };
  const fakeSqs = new FakeSqs(system);
  const fakeScheduler = new FakeScheduler(system, (text) => fakeSqs.sendStandard(text));
  const fakeS3 = new FakeS3({ now: () => systemClock.now() });
  const fakeDynamoDb = new FakeDynamoDb(() => systemClock.now());
  const sqs = createSqsClient({ ...common, requestHandler: fakeSqs.service.requestHandler });
  const scheduler = createSchedulerClient({ ...common, requestHandler: fakeScheduler.service.requestHandler });
  const s3 = createS3Client({ ...common, requestHandler: fakeS3.service.requestHandler });
  const dynamodb = createDynamoDbClient({ ...common, requestHandler: fakeDynamoDb });
  const access = { client: sqs, queueUrl: (queue: string) => (queue === '#delay' ? fakeSqs.delayQueueUrl : fakeSqs.url(queue)) };
  const sender = createSqsSender(access);
  const receiver = createSqsReceiver(access);
  const receives = { full: 0, empty: 0 };
  const delayQueue = { sqs, delayQueueUrl: fakeSqs.delayQueueUrl, clock: systemClock };
  fakeSqs.consume((event) => {
    receives.full++;
    return answerBatch(event, {
      handle: (messages) => relayDelayed({ ...delayQueue, sender, logger }, messages),
      recognise: ({ body }) => void decodeDelayed(body),
      setAside: async () => undefined,
      changeVisibility: (receipts, visibilityMs) => receiver.changeVisibility('#delay', receipts, visibilityMs),
      logger,
    });
  });
  const memory = createMemoryStores(system);
  // The fakes remember every request with its body.
  const forget = systemForget(() => [fakeSqs.service, fakeS3.service].forEach((service) => service.requests.splice(0)));
  const stores: LocalStores = {
    ...memory,
    ...createDynamoDbStores({ client: dynamodb, table: 'sluice', ...system, tombstonesKeptMs }),
    queue: { ...sender, ...counted(receiver, receives) },
    delay: createSqsDelay({
      ...delayQueue,
      scheduler,
      delayQueueArn: 'arn:aws:sqs:us-east-1:000000000000:delay',
      schedulerRoleArn: 'arn:aws:iam::000000000000:role/scheduler',
      scheduleGroup: 'group',
    }),
    objects: createS3ObjectStore({ client: s3, bucket: 'bucket', timers: systemTimers, random: systemRandom }),
    close: async () => {
      forget();
      fakeSqs.close();
      await memory.close();
    },
  };
  return { stores, meter, receives };
}

function counted(receiver: MessageReceiver, receives: AwsWorld['receives']): MessageReceiver {
  return {
    ...receiver,
    receive: async (queue, options) => {
      const messages = await receiver.receive(queue, options);
      receives[messages.length === 0 ? 'empty' : 'full']++;
      return messages;
    },
  };
}

function systemForget(forget: () => void): () => void {
  const timer = setInterval(forget, 500);
  return () => clearInterval(timer);
}
