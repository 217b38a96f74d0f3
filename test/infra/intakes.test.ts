/** What a deployment makes of push sources, read off the template. */
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SluiceControlPlane, type SluiceControlPlaneProps } from '../../infra/sluice-control-plane.ts';
import { StreamingJob, type StreamingJobProps } from '../../infra/streaming-job.ts';
import { deployedOf } from '../../lib/cost/idle-month.ts';
import { compileJob } from '../../lib/dsl/compile-job.ts';
import { job } from './pushed-job.ts';

const entry = fileURLToPath(new URL('./pushed-job.ts', import.meta.url));
const jobId = '0123456789abcdef0123456789abcdef';
const userQueueArn = 'arn:aws:sqs:eu-west-1:123456789012:users-orders.fifo';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}
interface Resource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly Properties: Readonly<Record<string, unknown>>;
}

function templateOf(intakes: StreamingJobProps['intakes'], plane: SluiceControlPlaneProps = {}): Template {
  const stack = new Stack(new App(), 'Test');
  const controlPlane = new SluiceControlPlane(stack, 'ControlPlane', plane);
  const queue = Queue.fromQueueArn(stack, 'UsersOrders', userQueueArn);
  new StreamingJob(stack, 'Pushed', { controlPlane, job, entry, jobId, intakes: { orders: { queue }, ...intakes } });
  return Template.fromStack(stack);
}

const template = templateOf({ made: { batchingWindow: Duration.seconds(2), maxConcurrency: 3 } });
const resources = (template.toJSON() as { readonly Resources: Readonly<Record<string, Resource>> }).Resources;
const named = (type: string, part: string): [string, Resource] =>
  Object.entries(resources).find(([name, { Type }]) => Type === type && name.includes(part))!;
const intakeFunctions = ['orders', 'made', 'clicks'].map((intake) => named('AWS::Lambda::Function', `Intake${intake}`));

describe('an intake', () => {
  test('is a function that is told its source, and the table of its log', () => {
    const [table] = named('AWS::DynamoDB::GlobalTable', 'IntakeTable');
    const told = intakeFunctions.map(([, { Properties }]) => {
      const { Variables } = Properties['Environment'] as { readonly Variables: Readonly<Record<string, unknown>> };
      return [Properties['Handler'], Variables['SLUICE_UID'], JSON.stringify(Variables['SLUICE_INTAKE_TABLE']).includes(table)];
    });
    expect(told).toEqual([
      ['intake-sqs.handler', 'orders', true],
      ['intake-sqs.handler', 'made', true],
      ['intake-http.handler', 'clicks', true],
    ]);
  });

  test('of a user’s queue reads it in batches that may fail in part; of a FIFO queue without a window', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: userQueueArn,
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumBatchingWindowInSeconds: Match.absent(),
    });
  });

  test('that is given no queue has one of its own, and waits for as many messages as it is told to', () => {
    const [queue, { Properties }] = named('AWS::SQS::Queue', 'Intakemade');
    expect(Properties).toMatchObject({ VisibilityTimeout: 180, MessageRetentionPeriod: 14 * 86_400 });
    expect(String(Properties['QueueName'])).toMatch(/^sluice-[0-9a-f]{16}--in-made$/);
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': [queue, 'Arn'] },
      BatchSize: 1_000,
      MaximumBatchingWindowInSeconds: 2,
      ScalingConfig: { MaximumConcurrency: 3 },
    });
    expect(Object.keys(resources).filter((name) => name.includes('Intakeorders') && resources[name]!.Type === 'AWS::SQS::Queue')).toEqual(
      [],
    );
  });

  test('by HTTP is a route that asks who calls', () => {
    const routes = Object.values(template.findResources('AWS::ApiGatewayV2::Route')).map(
      ({ Properties }) => Properties as Record<string, unknown>,
    );
    const own = routes.filter(({ RouteKey }) => String(RouteKey).includes('/intake/'));
    expect(own.map(({ RouteKey }) => String(RouteKey).replace(/[0-9a-f]{32}/, 'JOB')).sort()).toEqual([
      'POST /jobs/JOB/intake/clicks',
      'POST /v1/jobs/JOB/intake/clicks',
    ]);
    expect(own.every(({ AuthorizationType }) => AuthorizationType === 'AWS_IAM')).toBe(true);
  });

  test('stands behind the check of a deployment, and before its end', () => {
    const [first] = named('Custom::SluiceDeploymentFirst', '');
    const [, last] = named('Custom::SluiceDeploymentLast', '');
    for (const [name, { DependsOn }] of intakeFunctions) {
      expect(DependsOn).toContain(first);
      expect(last.DependsOn).toContain(name);
    }
  });

  test('of a queue rests with the job: the coordinator may turn it off', () => {
    const [, tasks] = named('AWS::Lambda::Function', 'CoordinatorTasks');
    const { Variables } = tasks.Properties['Environment'] as { readonly Variables: Readonly<Record<string, unknown>> };
    const turned = JSON.stringify(Variables['SLUICE_MAPPINGS']);
    for (const intake of ['orders', 'made']) expect(turned).toContain(`Intake${intake}`);
  });

  test('is watched: whether messages wait for it, and whether it is throttled', () => {
    const alarms = Object.values(resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm').map(({ Properties }) => Properties); // prettier-ignore
    const of = (MetricName: string) => alarms.filter((alarm) => alarm['MetricName'] === MetricName).map(({ Dimensions }) => JSON.stringify(Dimensions)); // prettier-ignore
    for (const queue of ['users-orders.fifo', 'Intakemade'])
      expect(
        of('ApproximateAgeOfOldestMessage').filter((dimensions) => dimensions.includes(queue)),
        queue,
      ).toHaveLength(1);
    for (const intake of ['orders', 'made', 'clicks'])
      expect(
        of('Throttles').filter((dimensions) => dimensions.includes(`Intake${intake}`)),
        intake,
      ).toHaveLength(1);
  });

  test('is counted in what an idle month costs', () => {
    const { fifoQueues, standardQueues, alarmMetrics } = deployedOf(compileJob(job, {}).plan);
    const mappings = Object.values(resources).filter(({ Type }) => Type === 'AWS::Lambda::EventSourceMapping');
    expect(mappings).toHaveLength(fifoQueues + standardQueues);
    expect(Object.values(resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')).toHaveLength(alarmMetrics);
  });

  test('that the job does not have is refused', () => {
    expect(() => templateOf({ order: {} })).toThrow('the job has no intake order: orders, made, clicks');
  });
});

describe('the log', () => {
  test('outlives the stack, unless everything is to go', () => {
    const policies = (of: Template) =>
      Object.entries(of.findResources('AWS::DynamoDB::GlobalTable')).map(([name, { DeletionPolicy }]) => [
        name.includes('Intake'),
        DeletionPolicy as unknown,
      ]);
    expect(policies(template).sort()).toEqual([
      [false, 'Delete'],
      [true, 'Retain'],
    ]);
    expect(policies(templateOf({}, { removal: 'destroy-everything' })).map(([, policy]) => policy)).toEqual(['Delete', 'Delete']);
  });
});

describe('what an intake may do', () => {
  const statementsOf = (part: string): readonly Statement[] =>
    Object.entries(resources)
      .filter(([name, { Type }]) => Type === 'AWS::IAM::Policy' && name.includes(part))
      .flatMap(([, { Properties }]) => (Properties['PolicyDocument'] as { readonly Statement: readonly Statement[] }).Statement);

  test('is to write to its log, to read the job’s record and plan, and to wake its own source', () => {
    const [log] = named('AWS::DynamoDB::GlobalTable', 'IntakeTable');
    const statements = statementsOf('Intakeclicks');
    const actionsOn = (text: string) =>
      statements.filter(({ Resource }) => JSON.stringify(Resource).includes(text)).flatMap(({ Action }) => Action);
    expect(actionsOn(log)).toEqual(['dynamodb:PutItem', 'dynamodb:Query']);
    expect(actionsOn('/intake/')).toEqual(['s3:PutObject']);
    expect(actionsOn('/jobs/')).toEqual(['s3:GetObject']);
    expect(actionsOn('Operatorclicks')).toEqual(['sqs:SendMessage']);
    expect(statements.flatMap(({ Action }) => Action).sort()).toEqual([
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:GetObject',
      's3:PutObject',
      'sqs:SendMessage',
    ]);
  });

  test('in the tables is for the job’s record and its own log, by their keys', () => {
    const keysOf = (part: string, action: string) =>
      statementsOf(part)
        .filter(({ Action }) => Action.includes(action))
        .flatMap(({ Condition }) => Condition!['ForAllValues:StringLike']!['dynamodb:LeadingKeys']!);
    expect(keysOf('Intakeclicks', 'dynamodb:GetItem')).toEqual([`j#${jobId}`]);
    expect(keysOf('Intakeclicks', 'dynamodb:PutItem')).toEqual([`i#${jobId}#clicks#*`]);
    expect(keysOf('Operatorclicks', 'dynamodb:Query')).toContain(`i#${jobId}#clicks#*`);
    expect(keysOf('CoordinatorTasks', 'dynamodb:BatchWriteItem')).toContain(`i#${jobId}#*`);
  });

  test('of a queue is to take messages from it, and nothing of another', () => {
    const consumed = statementsOf('Intakeorders').filter(({ Action }) => Action.includes('sqs:ReceiveMessage'));
    expect(consumed).toMatchObject([{ Resource: userQueueArn }]);
  });

  test('is not what its source may: that one reads the log, and only the coordinator removes from it', () => {
    const [log] = named('AWS::DynamoDB::GlobalTable', 'IntakeTable');
    const onLog = (part: string) =>
      statementsOf(part)
        .filter(({ Resource }) => JSON.stringify(Resource).includes(log))
        .flatMap(({ Action }) => Action);
    expect(onLog('Operatorclicks')).toEqual(['dynamodb:Query']);
    expect(onLog('Operatorsome')).toEqual([]);
    expect(onLog('CoordinatorTasks')).toEqual(['dynamodb:Query', 'dynamodb:BatchWriteItem']);
    expect(onLog('PushedApi')).toEqual(['dynamodb:Query']);
    expect(onLog('CoordinatorMessages')).toEqual([]);
  });
});
