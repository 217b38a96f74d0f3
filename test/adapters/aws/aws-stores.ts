/** The AWS adapters of queues, delay and objects as a fixture's stores, on services in this process; what else stores have is in memory. */
import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SQSClient } from '@aws-sdk/client-sqs';
import { answerBatch } from '../../../lib/adapters/lambda/answer-batch.ts';
import { createMemoryStores } from '../../../lib/adapters/memory/memory-stores.ts';
import { createS3ObjectStore } from '../../../lib/adapters/s3/object-store.ts';
import { createSqsDelay } from '../../../lib/adapters/sqs/delay.ts';
import { createSqsReceiver } from '../../../lib/adapters/sqs/message-receiver.ts';
import { createSqsSender } from '../../../lib/adapters/sqs/message-sender.ts';
import { decodeDelayed } from '../../../lib/adapters/sqs/delayed-message.ts';
import { relayDelayed } from '../../../lib/adapters/sqs/relay.ts';
import type { MakeStores } from '../../contract/fixture.ts';
import { clientConfig } from './fake-service.ts';
import { FakeS3 } from './fake-s3.ts';
import { FakeScheduler } from './fake-scheduler.ts';
import { FakeSqs } from './fake-sqs.ts';

const logger = { log: () => undefined };

export const makeAwsStores: MakeStores = async (options) => {
  const { clock, timers, random } = options;
  const fake = new FakeSqs(options);
  const scheduler = new FakeScheduler(options, (text) => fake.sendStandard(text));
  const s3 = new FakeS3({ now: () => clock.now() });
  const sqs = new SQSClient(clientConfig(fake.service));
  const access = { client: sqs, queueUrl: (queue: string) => (queue === '#delay' ? fake.delayQueueUrl : fake.url(queue)) };
  const sender = createSqsSender(access);
  const receiver = createSqsReceiver(access);
  const delayQueue = { sqs, delayQueueUrl: fake.delayQueueUrl, clock };
  fake.consume((event) =>
    answerBatch(event, {
      handle: (messages) => relayDelayed({ ...delayQueue, sender, logger }, messages),
      recognise: ({ body }) => void decodeDelayed(body),
      setAside: async () => undefined,
      changeVisibility: (receipts, visibilityMs) => receiver.changeVisibility('#delay', receipts, visibilityMs),
      logger,
    }),
  );
  const memory = createMemoryStores(options);
  const close = async (): Promise<void> => {
    fake.close();
    await memory.close();
  };
  // What a client reads once, files of its configuration, it has read before the test's clock moves.
  await sender.depth('warm');
  return {
    stores: {
      ...memory,
      queue: { ...sender, ...receiver },
      delay: createSqsDelay({
        ...delayQueue,
        scheduler: async () => new SchedulerClient(clientConfig(scheduler.service)),
        delayQueueArn: 'arn:aws:sqs:eu-west-1:000000000000:delay',
        schedulerRoleArn: 'arn:aws:iam::000000000000:role/scheduler',
        scheduleGroup: 'group',
      }),
      objects: createS3ObjectStore({ client: new S3Client(clientConfig(s3.service)), bucket: 'bucket', timers, random }),
      close,
    },
    dispose: close,
  };
};
