/**
 * Messages for later: one standard queue with delays up to 15 minutes, and the function that hands on what is due. What is further off waits in EventBridge
 * Scheduler, which sends it to the same queue.
 */
import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { JobId } from '../lib/base/ids.ts';
import { awsDelayQueueName, awsPrefix } from '../lib/model/aws-names.ts';
import { JobFunction } from './job-function.ts';

export interface DelayRelayProps {
  readonly jobId: JobId;
  readonly jobName: string;
  readonly code: Code;
  readonly environment: Readonly<Record<string, string>>;
  readonly enforceSSL: boolean;
}

const timeout = Duration.seconds(30);

export class DelayRelay extends Construct {
  readonly queue: Queue;
  readonly function: JobFunction;
  readonly #schedulerRole: Role;
  readonly #schedulesArn: string;
  readonly #names: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, { jobId, jobName, code, environment, enforceSSL }: DelayRelayProps) {
    super(scope, id);
    const prefix = awsPrefix(jobId);
    this.queue = new Queue(this, 'Queue', {
      queueName: awsDelayQueueName(jobId),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL,
      visibilityTimeout: timeout.plus(Duration.seconds(5)),
      retentionPeriod: Duration.days(14),
    });
    new CfnScheduleGroup(this, 'Schedules', { name: prefix });
    this.#schedulesArn = Stack.of(this).formatArn({ service: 'scheduler', resource: 'schedule', resourceName: `${prefix}/*` });
    this.#schedulerRole = new Role(this, 'SchedulerRole', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
    this.#schedulerRole.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }));
    this.#names = {
      SLUICE_SCHEDULES: prefix,
      SLUICE_SCHEDULER_ROLE: this.#schedulerRole.roleArn,
      SLUICE_DELAY_QUEUE_ARN: this.queue.queueArn,
    };
    this.function = new JobFunction(this, 'Relay', {
      code,
      environment,
      timeout,
      memorySize: 256,
      handler: 'relay.handler',
      description: `Sluice job ${jobName}: hands on delayed messages`,
    });
    this.function.consumeAndPace(this.queue, 2);
    this.function.allow(['sqs:SendMessage'], [this.queue.queueArn]);
  }

  /** Sleeping, for as long as one likes. */
  allowDelay(to: JobFunction): void {
    for (const [name, value] of Object.entries(this.#names)) to.lambda.addEnvironment(name, value);
    to.allow(['sqs:SendMessage'], [this.queue.queueArn]);
    to.allow(['scheduler:CreateSchedule'], [this.#schedulesArn]);
    to.allow(['iam:PassRole'], [this.#schedulerRole.roleArn]);
  }
}
