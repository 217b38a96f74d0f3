/**
 * A function of a job: one bundle for all of them, told by its handler and its environment what it is. Its role has only what is granted by name.
 */
import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type Code,
  type EventSourceMapping,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { limits } from '../lib/base/limits.ts';

export interface JobFunctionProps {
  /** Module and export of functions/, as `operator.handler`. */
  readonly handler: string;
  readonly code: Code;
  readonly description: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeout: Duration;
  readonly memorySize: number;
  readonly logRetention?: RetentionDays;
}

interface Consuming {
  readonly maxConcurrency: number;
  readonly batchSize?: number;
  readonly maxBatchingWindow?: Duration;
}

type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export class JobFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly role: Role;
  /** Turned off while the job has ended (lib/coordinator/turn-event-sources.ts). */
  source: EventSourceMapping | null = null;

  constructor(scope: Construct, id: string, props: JobFunctionProps) {
    super(scope, id);
    const { logRetention = RetentionDays.TWO_WEEKS, ...rest } = props;
    const logGroup = new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
    this.lambda = new LambdaFunction(this, 'Function', {
      ...rest,
      environment: { ...rest.environment, NODE_OPTIONS: '--enable-source-maps' },
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // A line per invocation costs a quarter of a dollar per million of them.
      systemLogLevelV2: SystemLogLevel.WARN,
      // A shard's message to itself is a loop by design, cut after sixteen turns otherwise.
      recursiveLoop: RecursiveLoop.ALLOW,
    });
  }

  /** Batches of its messages come to the function; what it does not answer for comes again. */
  consume(queue: IQueue, { batchSize = limits.messagesPerBatchMax, ...settings }: Consuming): void {
    this.source = this.lambda.addEventSourceMapping('Source', {
      eventSourceArn: queue.queueArn,
      batchSize,
      reportBatchItemFailures: true,
      ...settings,
    });
    // Lambda polls as the function. What the CDK grants for it is more.
    this.allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [queue.queueArn]);
    queue.encryptionMasterKey?.grantDecrypt(this.role);
  }

  /** The same, where the function itself says when what has failed comes again (functions/batch-work.ts). */
  consumeAndPace(queue: IQueue, maxConcurrency: number): void {
    this.consume(queue, { maxConcurrency });
    this.allow(['sqs:ChangeMessageVisibility'], [queue.queueArn]);
  }

  allow(actions: readonly string[], resources: readonly string[], conditions: Conditions = {}): void {
    this.role.addToPrincipalPolicy(
      new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources], conditions }),
    );
  }

  /** As `allow`, in a policy that goes when its plan has gone (named-policy.ts). */
  allowNamed(names: string, actions: readonly string[], resources: readonly string[]): void {
    // A child of the role: the function waits for it as for the others.
    const policy = (this.role.node.tryFindChild(names) as Policy | undefined) ?? new Policy(this.role, names, { roles: [this.role] });
    policy.addStatements(new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources] }));
  }
}
