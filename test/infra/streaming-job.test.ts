/** What a deployment makes of a job's plan, read off the template. */
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { collectSink, type DataStream, defineJob, fromCollection, type Job, type, valueState } from '../../lib/index.ts';
import type { StreamingJobProps } from '../../infra/streaming-job.ts';
import { flowDescriptions } from '../../lib/coordinator/flow-descriptions.ts';
import { job as next } from '../deployed/flights/next-version.ts';
import { resourcesOf, templateOf } from './templates.ts';

const stateful = ['AWS::SQS::Queue', 'AWS::DynamoDB::GlobalTable', 'AWS::S3::Bucket'];
const namesOf = (template: Template, types: readonly string[]): readonly string[] =>
  Object.entries(resourcesOf(template))
    .filter(([, { Type }]) => types.includes(Type))
    .map(([name]) => name)
    .sort();

const template = templateOf();

const plain: Partial<StreamingJobProps> = { parameters: {} };
const without = (uid: string): Partial<StreamingJobProps> => ({ job: pipeline({ leftOut: uid }) });
const renamed = (uid: string, to: string): Partial<StreamingJobProps> => ({ job: pipeline({ names: { [uid]: to } }) });

/** A source, two operators that keep state, a sink: a function each but for the last. */
function pipeline({
  leftOut = '',
  names = {},
  before = false,
}: {
  readonly leftOut?: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly before?: boolean;
}): Job {
  return defineJob({
    name: 'pipeline',
    build(env) {
      const counting = (stream: DataStream<string>, uid: string): DataStream<string> =>
        uid === leftOut
          ? stream
          : stream
              .keyBy((word) => word)
              .process({
                emits: type<string>(),
                state: { seen: valueState<number>() },
                process(word, { state, emit }) {
                  state.seen.update((state.seen.value() ?? 0) + 1);
                  emit(word);
                },
              })
              .uid(names[uid] ?? uid);
      const words = env.fromSource(fromCollection(['yes', 'no'])).uid('words');
      const all = before ? words.map((word) => word).uid('trimmed') : words;
      counting(counting(all, 'first'), 'counted').sinkTo(collectSink('all')).uid('all');
    },
  });
}

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
    const [bucket] = Object.values(template.findResources('AWS::S3::Bucket', { Properties: { LoggingConfiguration: {} } }));
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
      expect(resourcesOf(other)[name]!.Properties['QueueName']).toEqual(resourcesOf(template)[name]!.Properties['QueueName']);
    }
  });

  test.each([
    ['an operator less', without('counted'), ['counted']],
    ['an operator renamed', renamed('counted', 'summed'), ['counted']],
    ['an operator before it in its chain', { job: pipeline({ before: true }) }, []],
  ])('are replaced by nothing, and keep every property, under %s: only its own queue goes', (_, props, gone) => {
    const before = templateOf({ ...plain, job: pipeline({}) });
    const after = templateOf({ ...plain, ...props });
    const [was, is] = [resourcesOf(before), resourcesOf(after)];
    const left = namesOf(before, stateful).filter((name) => !gone.some((uid) => name.includes(`Operator${uid}`)));
    expect(left.length).toBe(namesOf(before, stateful).length - gone.length);
    for (const name of left) expect(is[name], name).toEqual(was[name]);
  });

  test('are refused with a function timeout under which a crash would stall a shard for long', async () => {
    const { Duration } = await import('aws-cdk-lib');
    expect(() => templateOf({ functionTimeout: Duration.minutes(6) })).toThrow('would stall a shard');
    expect(() => templateOf({ jobId: 'Flights' })).toThrow('is no job id');
  });
});

describe('a deployment', () => {
  test('checks before any function of the job changes, and restores after everything', () => {
    const resources = resourcesOf(template);
    const [first] = namesOf(template, ['Custom::SluiceDeploymentFirst']);
    const [last] = namesOf(template, ['Custom::SluiceDeploymentLast']);
    const functions = namesOf(template, ['AWS::Lambda::Function']).filter((name) => !/Deployment|ControlPlane/.test(name));
    for (const name of functions) expect(resources[name]!.DependsOn, name).toContain(first);
    const waited = resources[last!]!.DependsOn!;
    for (const name of [...functions, ...namesOf(template, ['AWS::StepFunctions::StateMachine', 'AWS::Lambda::EventSourceMapping'])])
      expect(waited).toContain(name);
  });
});
