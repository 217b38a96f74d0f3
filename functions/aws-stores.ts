/** What a function of a job works on: the services of AWS behind the ports, made once per process. */
import { createDynamoDbClient } from '../lib/adapters/aws-sdk/dynamodb-client.ts';
import { Meter } from '../lib/adapters/aws-sdk/meter.ts';
import { createS3Client } from '../lib/adapters/aws-sdk/s3-client.ts';
import { createSqsClient } from '../lib/adapters/aws-sdk/sqs-client.ts';
import { DynamoDbIntakeLog } from '../lib/adapters/dynamodb/intake-log.ts';
import { createDynamoDbStores } from '../lib/adapters/dynamodb/dynamodb-stores.ts';
import { createEmbeddedMetrics } from '../lib/adapters/lambda/embedded-metrics.ts';
import { InvocationMeter } from '../lib/adapters/lambda/invocation-meter.ts';
import { measuredHistory } from '../lib/adapters/lambda/measured-history.ts';
import { createS3ObjectStore } from '../lib/adapters/s3/object-store.ts';
import { createSqsReceiver } from '../lib/adapters/sqs/message-receiver.ts';
import { createSqsSender } from '../lib/adapters/sqs/message-sender.ts';
import type { SqsAccess } from '../lib/adapters/sqs/sqs-access.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { systemRandom } from '../lib/adapters/system/random.ts';
import { systemTimers } from '../lib/adapters/system/timers.ts';
import { addBills, type Bill } from '../lib/model/bill.ts';
import { awsCoordinatorQueueName, awsDelayQueueName, awsQueueName } from '../lib/model/aws-names.ts';
import { coordinatorQueue, operatorQueue } from '../lib/model/queue-names.ts';
import type { JobPlan } from '../lib/model/job-plan.ts';
import type { JobEnvironment } from './job-environment.ts';

/** Longer than any invocation can live: 15 minutes, and room for what a clock is off. */
export const garbageAgeMs = 1_200_000;

export function createAwsStores({ job, table, bucket, account, queues, memoryMb, intakeTable }: JobEnvironment, plan: JobPlan) {
  const system = { clock: systemClock, timers: systemTimers, random: systemRandom };
  const logger = createLogger({ clock: systemClock, format: 'json' });
  const meter = new Meter();
  const invocations = new InvocationMeter({ clock: systemClock, memoryMb });
  const s3 = createS3Client({ meter, owned: { bucket, account } });
  const sqs = createSqsClient({ meter });
  // From the name that ports use to the one on AWS.
  const names = new Map([
    [coordinatorQueue(job), awsCoordinatorQueueName(job)],
    [awsDelayQueueName(job), awsDelayQueueName(job)],
    ...plan.vertices.map(({ uid }) => [operatorQueue(job, uid), awsQueueName(job, uid)] as const),
  ]);
  const access: SqsAccess = {
    client: sqs,
    queueUrl: (queue) => (names.has(queue) ? `${queues}${names.get(queue)!}` : undefined),
  };
  const metrics = createEmbeddedMetrics({ clock: systemClock, job });
  const client = createDynamoDbClient({ meter });
  const dynamodb = createDynamoDbStores({ ...system, client, table, tombstonesKeptMs: garbageAgeMs });
  const objects = createS3ObjectStore({ ...system, client: s3, bucket });
  return {
    ...system,
    logger,
    metrics,
    meter,
    invocations,
    bill: (): Bill => addBills(meter.takeBill(), invocations.takeBill()) ?? {},
    clients: { s3, sqs },
    ...dynamodb,
    history: measuredHistory(dynamodb.history, metrics),
    objects,
    intakeLog: intakeTable === null ? undefined : new DynamoDbIntakeLog({ ...system, client, table: intakeTable, scope: job, objects }),
    messages: createSqsSender(access),
    receiver: createSqsReceiver(access),
  };
}

export type AwsStores = ReturnType<typeof createAwsStores>;
