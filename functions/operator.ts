/** Lambda: one vertex of the job, for the shards whose messages come. */
import { createAwsConnectors } from './aws-connectors.ts';
import { withRelay } from '../lib/adapters/sqs/relay-bill.ts';
import { createSqsDelay } from '../lib/adapters/sqs/delay.ts';
import { invariant } from '../lib/base/invariant.ts';
import { awsDelayQueueName } from '../lib/model/aws-names.ts';
import { checkOperatorMessage } from '../lib/model/own-message.ts';
import { operatorQueue } from '../lib/model/queue-names.ts';
import { OperatorFunction } from '../lib/runtime/operator-function.ts';
import { defaultRuntimeSettings } from '../lib/runtime/runtime-settings.ts';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createAwsStores } from './aws-stores.ts';
import { workOnBatch } from './batch-work.ts';
import { readJobEnvironment } from './job-environment.ts';
import { compileBundled, newPlanOf } from './job-program.ts';

const environment = readJobEnvironment();
const { job, uid, queues, delay } = environment;
invariant(uid !== null && delay !== null, 'SJ1', 'the function is told no vertex');
const compiled = compileBundled(environment);
const { planHash } = newPlanOf(environment, compiled);
const stores = createAwsStores(environment, compiled.plan);
const { clients, meter, clock } = stores;
/** A process has one invocation at a time. */
let invocation: Pick<Context, 'getRemainingTimeInMillis'> | undefined;

const operator = new OperatorFunction(
  {
    deps: {
      ...stores,
      bill: () => withRelay(stores.bill()),
      timeLeft: () => invocation?.getRemainingTimeInMillis() ?? Infinity,
      connectors: createAwsConnectors(stores),
      delay: createSqsDelay({
        sqs: clients.sqs,
        scheduler: async () => (await import('../lib/adapters/aws-sdk/scheduler-client.ts')).createSchedulerClient({ meter }),
        clock,
        delayQueueUrl: `${queues}${awsDelayQueueName(job)}`,
        delayQueueArn: delay.queueArn,
        scheduleGroup: delay.scheduleGroup,
        schedulerRoleArn: delay.schedulerRoleArn,
      }),
    },
    program: {
      job,
      plan: compiled.plan,
      planHash,
      registry: compiled.registry,
      settings: { ...defaultRuntimeSettings, ...environment.settings },
    },
  },
  uid,
);

const work = workOnBatch(stores, {
  job,
  queue: operatorQueue(job, uid),
  handle: (messages, postpone) => operator.handle(messages, postpone),
  recognise: (message) => checkOperatorMessage(job, message),
});

export const handler = (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  invocation = context;
  return work(event);
};
