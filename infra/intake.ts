/**
 * The intake of one push source: the function that writes to its log, and what calls it, a queue or a route of the HTTP API.
 *
 * IT1. It writes to the log's table and reads one record of the other: a sender's data never comes near the state of the job.
 * IT2. Acknowledged is what the log has: partial batch responses, and no queue of the user's is ever mapped to a shard.
 */
import { Duration } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption, type IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { pathPrefixes } from '../lib/api/route-scopes.ts';
import type { JobId, OperatorUid } from '../lib/base/ids.ts';
import { limits } from '../lib/base/limits.ts';
import { awsIntakeQueueName } from '../lib/model/intake-names.ts';
import type { IntakeOptions } from '../lib/model/intake.ts';
import type { ControlApi } from './control-api.ts';
import { JobFunction } from './job-function.ts';

/** What a deployment says of an intake, by its name. */
export interface IntakeSettings {
  /** Of the user's. Default: one is made. */
  readonly queue?: IQueue;
  /** Of one that is made. Changed later it is another queue, and what waits in the old one goes with it: let the intake empty it first, or name a queue of your own. */
  readonly fifo?: boolean;
  /** How long messages of a standard queue may wait for others: fewer and larger entries cost less. At low traffic Lambda waits up to 20 seconds. Default: they do not. */
  readonly batchingWindow?: Duration;
  readonly maxConcurrency?: number;
}

export interface SourceIntakeProps {
  readonly jobId: JobId;
  readonly jobName: string;
  readonly uid: OperatorUid;
  readonly options: IntakeOptions;
  readonly settings: IntakeSettings;
  readonly api: ControlApi;
  readonly code: Code;
  readonly environment: Readonly<Record<string, string>>;
  readonly enforceSSL: boolean;
}

/** Not longer than the visibility timeout that queues have by default. */
const timeout = Duration.seconds(30);
/** AWS advises six times the function's. */
const visibilityTimeout = Duration.seconds(180);
const batchSizeWithWindow = 1_000;

export class SourceIntake extends Construct {
  readonly function: JobFunction;
  /** null: it is reached by HTTP. */
  readonly queue: IQueue | null;

  constructor(scope: Construct, id: string, props: SourceIntakeProps) {
    super(scope, id);
    const { jobName, uid, options, code, environment } = props;
    const { intake, kind } = options;
    this.function = new JobFunction(this, 'Intake', {
      code,
      timeout,
      handler: `intake-${kind}.handler`,
      memorySize: 512,
      description: `Sluice job ${jobName}: takes in ${intake}`,
      environment: { ...environment, SLUICE_UID: uid },
    });
    this.queue = kind === 'sqs' ? this.#fromQueue(props) : null;
    if (kind === 'http') this.#fromHttp(props);
  }

  #fromQueue({ jobId, options: { intake }, settings, enforceSSL }: SourceIntakeProps): IQueue {
    const { fifo = false, batchingWindow, maxConcurrency = 10 } = settings;
    const queue =
      settings.queue ??
      new Queue(this, 'Queue', {
        queueName: awsIntakeQueueName(jobId, intake, fifo),
        ...(fifo ? { fifo } : {}),
        encryption: QueueEncryption.SQS_MANAGED,
        enforceSSL,
        visibilityTimeout,
        retentionPeriod: Duration.days(14),
      });
    const window = queue.fifo || batchingWindow === undefined ? {} : { maxBatchingWindow: batchingWindow };
    const batchSize = 'maxBatchingWindow' in window ? batchSizeWithWindow : limits.messagesPerBatchMax;
    this.function.consume(queue, { batchSize, ...window, maxConcurrency });
    return queue;
  }

  #fromHttp({ api, jobId, options: { intake } }: SourceIntakeProps): void {
    for (const prefix of pathPrefixes) api.addRoute('POST', `${prefix}/jobs/${jobId}/intake/${intake}`, 'send', this.function);
  }
}
