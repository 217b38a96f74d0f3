/** Lambda: hands on what waited in the delay queue. */
import { relayDelayed } from '../lib/adapters/sqs/relay.ts';
import { decodeDelayed } from '../lib/adapters/sqs/delayed-message.ts';
import { awsDelayQueueName } from '../lib/model/aws-names.ts';
import { createAwsStores } from './aws-stores.ts';
import { workOnBatch } from './batch-work.ts';
import { readJobEnvironment } from './job-environment.ts';
import { compileBundled } from './job-program.ts';

const environment = readJobEnvironment();
const { job, queues } = environment;
const stores = createAwsStores(environment, compileBundled(environment).plan);
const { logger, clock, clients, messages: sender } = stores;

export const handler = workOnBatch(stores, {
  job,
  queue: awsDelayQueueName(job),
  handle: (messages) =>
    relayDelayed({ sqs: clients.sqs, delayQueueUrl: `${queues}${awsDelayQueueName(job)}`, clock, sender, logger }, messages),
  recognise: ({ body }) => void decodeDelayed(body),
});
