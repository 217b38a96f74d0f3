/** What a deployment makes of a job's plan, read off the template. The functions' code is real: it is bundled once. */
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { job as flights } from '../../examples/flights/job.ts';
import { SluiceControlPlane, type SluiceControlPlaneProps } from '../../infra/sluice-control-plane.ts';
import { StreamingJob, type StreamingJobProps } from '../../infra/streaming-job.ts';
import { flowDescriptions } from '../../lib/coordinator/flow-descriptions.ts';
import { job as next } from '../deployed/flights/next-version.ts';

const entry = fileURLToPath(new URL('../../examples/flights/job.ts', import.meta.url));
const parameters = { input: 's3://in-bucket/flights.ndjson', output: 's3://out-bucket/out' };

type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>>;

function templateOf(props: Partial<StreamingJobProps> = {}, plane: SluiceControlPlaneProps = {}): Template {
  const stack = new Stack(new App(), 'Test');
  const controlPlane = new SluiceControlPlane(stack, 'ControlPlane', plane);
  new StreamingJob(stack, 'Flights', { controlPlane, job: flights, entry, parameters, parallelism: 4, ...props });
  return Template.fromStack(stack);
}

const resourcesOf = (template: Template): Resources => (template.toJSON() as { readonly Resources: Resources }).Resources;
const stateful = ['AWS::SQS::Queue', 'AWS::DynamoDB::GlobalTable', 'AWS::S3::Bucket'];
const namesOf = (template: Template, types: readonly string[]): readonly string[] =>
  Object.entries(resourcesOf(template))
    .filter(([, { Type }]) => types.includes(Type))
    .map(([name]) => name)
    .sort();

const template = templateOf();

describe('the resources of a job', () => {
  test('are a FIFO queue in high-throughput mode without a dead-letter queue, and a function, per operator', () => {
    const queues = Object.values(template.findResources('AWS::SQS::Queue', { Properties: { FifoQueue: true } }));
    expect(queues).toHaveLength(4);
    for (const { Properties } of queues) {
      expect(Properties).toMatchObject({
        DeduplicationScope: 'messageGroup',
        FifoThroughputLimit: 'perMessageGroupId',
        MaximumMessageSize: 1_048_576,
        MessageRetentionPeriod: 14 * 86_400,
        VisibilityTimeout: 35,
      });
      expect(Properties).not.toHaveProperty('RedrivePolicy');
    }
    template.allResourcesProperties('AWS::Lambda::Function', Match.objectLike({ Runtime: 'nodejs24.x', Architectures: ['arm64'] }));
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 10 },
    });
  });

  test('are one function whose recursion is allowed, because a source sends to itself', () => {
    template.allResourcesProperties('AWS::Lambda::Function', Match.objectLike({ RecursiveLoop: 'Allow' }));
  });

  test('keep state in a table on demand with expiry and point-in-time recovery, and in a versioned bucket that is kept', () => {
    template.hasResource('AWS::DynamoDB::GlobalTable', {
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        Replicas: [Match.objectLike({ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } })],
      },
    });
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain', Properties: { VersioningConfiguration: { Status: 'Enabled' } } });
    templateOf({}, { removal: 'destroy-everything' }).hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  });

  test('expire no current object of the bucket by its age', () => {
    const [bucket] = Object.values(template.findResources('AWS::S3::Bucket'));
    const text = JSON.stringify((bucket as { readonly Properties: unknown }).Properties);
    expect(text).toContain('NoncurrentVersionExpiration');
    expect(text).not.toMatch(/"ExpirationInDays"|"ExpirationDate"|"Transitions"/);
  });

  test('have a Standard state machine for every flow of the coordinator', () => {
    const machines = Object.values(
      template.findResources('AWS::StepFunctions::StateMachine', { Properties: { StateMachineType: 'STANDARD' } }),
    );
    expect(machines).toHaveLength(flowDescriptions.length);
  });

  test.each([
    ['another parallelism', { parallelism: 2 }],
    ['one more operator, chained to another', { job: next }],
  ])('are replaced by nothing under %s, where they hold something', (_, props) => {
    const other = templateOf(props);
    expect(namesOf(other, stateful)).toEqual(namesOf(template, stateful));
    for (const name of namesOf(template, ['AWS::SQS::Queue'])) {
      expect(resourcesOf(other)[name]!.Properties!['QueueName']).toEqual(resourcesOf(template)[name]!.Properties!['QueueName']);
    }
  });

  test('are refused with a function timeout under which a crash would stall a shard for long', async () => {
    const { Duration } = await import('aws-cdk-lib');
    expect(() => templateOf({ functionTimeout: Duration.minutes(6) })).toThrow('would stall a shard');
    expect(() => templateOf({ jobId: 'Flights' })).toThrow('is no job id');
  });
});

describe('what functions may do', () => {
  interface Statement {
    readonly Effect: string;
    readonly Action: string | readonly string[];
    readonly Resource: unknown;
  }
  const statements = Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    (policy) =>
      (policy as { readonly Properties: { readonly PolicyDocument: { readonly Statement: readonly Statement[] } } }).Properties
        .PolicyDocument.Statement,
  );

  test('is named action by action', () => {
    expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))).toEqual([]);
  });

  test('is for all resources only where AWS knows none', () => {
    const anywhere = statements.filter(({ Resource }) => Resource === '*' || (Array.isArray(Resource) && Resource.includes('*')));
    const actions = new Set(anywhere.flatMap(({ Action }) => Action));
    expect([...actions].sort()).toEqual([
      'logs:CreateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
      'logs:GetLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:UpdateLogDelivery',
      'states:SendTaskFailure',
      'states:SendTaskSuccess',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  test('with the user’s data follows from the URIs of the plan', () => {
    const text = JSON.stringify(statements);
    expect(text).toContain(':s3:::in-bucket/flights.ndjson*');
    expect(text).toContain(':s3:::out-bucket/out/daily*');
    const written = statements.filter(({ Action }) => Action.includes('s3:PutObject'));
    expect(JSON.stringify(written)).not.toContain('in-bucket');
  });

  test('lets the flows’ steps turn the job’s event sources on and off, and no others', () => {
    const turning = statements.filter(({ Action }) => Action.includes('lambda:UpdateEventSourceMapping'));
    expect(turning).toHaveLength(1);
    const mappings = Object.keys(template.findResources('AWS::Lambda::EventSourceMapping'));
    const [{ Resource: resources }] = turning as [Statement];
    expect(resources).toHaveLength(mappings.length);
    for (const name of mappings) expect(JSON.stringify(resources)).toContain(name);
  });

  test('is asked of every route of the HTTP API', () => {
    template.allResourcesProperties('AWS::ApiGatewayV2::Route', Match.objectLike({ AuthorizationType: 'AWS_IAM' }));
  });
});

describe('a deployment', () => {
  test('checks before any function of the job changes, and restores after everything', () => {
    const resources = template.toJSON() as {
      readonly Resources: Readonly<Record<string, { readonly Type: string; readonly DependsOn?: readonly string[] }>>;
    };
    const [first] = namesOf(template, ['Custom::SluiceDeploymentFirst']);
    const [last] = namesOf(template, ['Custom::SluiceDeploymentLast']);
    const functions = namesOf(template, ['AWS::Lambda::Function']).filter((name) => !name.includes('Deployment'));
    for (const name of functions) expect(resources.Resources[name]!.DependsOn, name).toContain(first);
    const waited = resources.Resources[last!]!.DependsOn!;
    for (const name of [...functions, ...namesOf(template, ['AWS::StepFunctions::StateMachine', 'AWS::Lambda::EventSourceMapping'])])
      expect(waited).toContain(name);
  });
});
