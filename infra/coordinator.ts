/**
 * The coordinator of a job: takes what its shards tell, and runs its flows as state machines, which a person can start from the Step Functions console too.
 */
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { JobId } from '../lib/base/ids.ts';
import { flowDescriptions } from '../lib/coordinator/flow-descriptions.ts';
import { awsCoordinatorQueueName, awsStateMachineName } from '../lib/model/aws-names.ts';
import { JobFunction } from './job-function.ts';
import { fifo } from './operator.ts';
import { statesDefinition } from './states-language.ts';

export interface CoordinatorProps {
  readonly jobId: JobId;
  readonly jobName: string;
  readonly code: Code;
  readonly environment: Readonly<Record<string, string>>;
  readonly enforceSSL: boolean;
}

/** One group: a message after the other. */
const messagesTimeout = Duration.seconds(30);
/** Steps of exports and imports hand on long before. */
const tasksTimeout = Duration.minutes(5);

export class Coordinator extends Construct {
  readonly queue: Queue;
  readonly messages: JobFunction;
  readonly tasks: JobFunction;
  readonly machines: ReadonlyMap<string, StateMachine>;

  constructor(scope: Construct, id: string, { jobId, jobName, code, environment, enforceSSL }: CoordinatorProps) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      queueName: awsCoordinatorQueueName(jobId),
      ...fifo(enforceSSL),
      visibilityTimeout: messagesTimeout.plus(Duration.seconds(5)),
    });
    const common = { code, environment, memorySize: 1_024 };
    this.messages = new JobFunction(this, 'Messages', {
      ...common,
      handler: 'coordinator.messages',
      timeout: messagesTimeout,
      description: `Sluice job ${jobName}: what its shards tell the coordinator`,
    });
    this.messages.consumeAndPace(this.queue, 2);
    this.tasks = new JobFunction(this, 'Tasks', {
      ...common,
      handler: 'coordinator.tasks',
      timeout: tasksTimeout,
      description: `Sluice job ${jobName}: the steps of its flows`,
    });
    this.machines = this.#makeMachines(jobId, jobName);
  }

  #makeMachines(jobId: JobId, jobName: string): ReadonlyMap<string, StateMachine> {
    const role = new Role(this, 'FlowRole', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    role.addToPolicy(
      new PolicyStatement({ effect: Effect.ALLOW, actions: ['lambda:InvokeFunction'], resources: [this.tasks.lambda.functionArn] }),
    );
    const logs = new LogGroup(this, 'FlowLogs', {
      // Step Functions delivers to groups of this prefix without a resource policy of their own, of which an account has ten.
      logGroupName: `/aws/vendedlogs/states/${awsStateMachineName(jobId, 'flows')}`,
      retention: RetentionDays.TWO_WEEKS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stack = Stack.of(this);
    const options = { tasksArn: this.tasks.lambda.functionArn, partition: stack.partition };
    return new Map(
      flowDescriptions.map((flow) => {
        const machine = new StateMachine(this, `Flow-${flow.name}`, {
          stateMachineName: awsStateMachineName(jobId, flow.name),
          stateMachineType: StateMachineType.STANDARD,
          role,
          definitionBody: DefinitionBody.fromString(
            stack.toJsonString(statesDefinition(flow, { ...options, comment: `Sluice job ${jobName}: ${flow.name}` })),
          ),
          logs: { destination: logs, level: LogLevel.ALL },
          tracingEnabled: true,
        });
        return [flow.name, machine];
      }),
    );
  }
}
