/**
 * One vertex of the plan: its queue and the function that works for its shards.
 *
 * OP1. No dead-letter queue: SQS would tear a hole in a channel (design §4). What cannot be processed stays, is told, and is set aside by the function.
 * OP2. Visibility is just above the function's timeout: a crash stalls a shard for that long.
 * OP3. Named by its uid alone, whatever its parallelism or its chain: a change of these replaces nothing.
 */
import { Duration } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { JobId } from '../lib/base/ids.ts';
import { limits } from '../lib/base/limits.ts';
import { awsQueueName } from '../lib/model/aws-names.ts';
import type { PlannedVertex } from '../lib/model/job-plan.ts';
import { JobFunction } from './job-function.ts';

export interface OperatorProps {
  readonly jobId: JobId;
  readonly jobName: string;
  readonly vertex: PlannedVertex;
  readonly label: string;
  readonly code: Code;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeout: Duration;
  readonly memorySize: number;
  readonly maxConcurrency: number;
  readonly enforceSSL: boolean;
}

const visibilityAboveTimeoutSeconds = 5;

export class Operator extends Construct {
  readonly queue: Queue;
  readonly function: JobFunction;
  /** For people. */
  readonly label: string;

  constructor(scope: Construct, id: string, props: OperatorProps) {
    super(scope, id);
    const { jobId, jobName, vertex, label, timeout, maxConcurrency, enforceSSL, ...rest } = props;
    this.label = label;
    this.queue = new Queue(this, 'Queue', {
      queueName: awsQueueName(jobId, vertex.uid),
      ...fifo(enforceSSL),
      visibilityTimeout: timeout.plus(Duration.seconds(visibilityAboveTimeoutSeconds)),
    });
    this.function = new JobFunction(this, 'Operator', {
      ...rest,
      timeout,
      handler: 'operator.handler',
      description: `Sluice job ${jobName}: ${label}`,
      environment: { ...rest.environment, SLUICE_UID: vertex.uid },
    });
    this.function.consumeAndPace(this.queue, maxConcurrency);
  }
}

/** High throughput: limits per message group. */
export function fifo(enforceSSL: boolean) {
  return {
    fifo: true,
    deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
    fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL,
    maxMessageSizeBytes: limits.messageTextBytesMax,
    // As long as it may be: what waits here is in no checkpoint's way, and a job that stands still over a holiday loses nothing.
    retentionPeriod: Duration.days(14),
  } as const;
}
