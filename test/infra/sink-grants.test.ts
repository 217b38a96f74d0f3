/** What the functions of a job may do with the tables and queues that its sinks write to. */
import type { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { defineJob, dynamoDbSink, fileSink, fromCollection, sqsSink } from '../../lib/index.ts';
import { templateOf } from './templates.ts';

const policiesOf = (template: Template) => template.findResources('AWS::IAM::Policy') as Readonly<Record<string, PolicyResource>>;

/** `action resource`, one by one. */
function grantsOf({ Properties: { PolicyDocument } }: PolicyResource): readonly string[] {
  return PolicyDocument.Statement.flatMap(({ Action, Resource }) =>
    [Action]
      .flat()
      .flatMap((action) => (Array.isArray(Resource) ? Resource : [Resource]).map((resource) => `${action} ${JSON.stringify(resource)}`)),
  );
}

interface PolicyResource {
  readonly Properties: { readonly PolicyDocument: { readonly Statement: readonly Statement[] } };
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

test('writing to tables and queues of the user is to put and to send, for the one function that delivers, where the plan says', () => {
  const job = defineJob({
    name: 'delivering',
    build: (env) => {
      const stream = env.fromSource(fromCollection<{ id: string }>([])).uid('in');
      stream.sinkTo(dynamoDbSink({ table: 'rows', key: 'id' })).uid('rows');
      stream.sinkTo(dynamoDbSink({ table: 'arn:aws:dynamodb:us-east-1:111122223333:table/far-rows', key: 'id' })).uid('far-rows');
      stream.sinkTo(sqsSink({ queue: 'https://sqs.eu-west-3.amazonaws.com/111122223333/messages' })).uid('messages');
    },
  });
  const delivering = templateOf({ job, parameters: {} });
  const isTheirs = (policy: unknown): boolean => /:table\/(?:far-)?rows|:messages"/.test(JSON.stringify(policy));
  const policies = Object.entries(delivering.findResources('AWS::IAM::Policy')).filter(([, policy]) => isTheirs(policy));
  expect(policies.map(([name]) => name)).toEqual([expect.stringMatching(/^FlightsCoordinatorTasks/)]);
  const { PolicyDocument: document } = (policies[0]![1] as PolicyResource).Properties;
  const granted = document.Statement.filter(isTheirs).map(({ Action, Resource }) => `${String(Action)} ${JSON.stringify(Resource)}`).sort(); // prettier-ignore
  expect(granted).toEqual([
    expect.stringMatching(/^dynamodb:PutItem .*AWS::AccountId.*:table\/rows/),
    expect.stringMatching(/^dynamodb:PutItem .*:dynamodb:us-east-1:111122223333:table\/far-rows/),
    expect.stringMatching(/^sqs:SendMessage .*:sqs:eu-west-3:111122223333:messages/),
  ]);
});

test('a deployment that removes sinks takes back no grant before its end: what they have staged is still to be published', () => {
  const version = (sinks: readonly string[]) =>
    defineJob({
      name: 'changing',
      build: (env) => {
        const stream = env.fromSource(fromCollection<{ id: string }>([])).uid('in');
        stream.sinkTo(fileSink('s3://stays/out')).uid('stays');
        const keyed = stream
          .keyBy(({ id }) => id)
          .process({ state: {}, process: (record, { emit }) => emit(record) })
          .uid('keyed');
        keyed.sinkTo(fileSink('s3://stays/too')).uid('stays-too');
        if (sinks.includes('files')) keyed.sinkTo(fileSink('s3://goes/out')).uid('files');
        if (sinks.includes('rows')) stream.sinkTo(dynamoDbSink({ table: 'rows', key: 'id' })).uid('rows');
        if (sinks.includes('messages'))
          stream.sinkTo(sqsSink({ queue: 'https://sqs.eu-west-3.amazonaws.com/111122223333/messages' })).uid('messages');
      },
    });
  const [before, after] = [['files', 'rows', 'messages'], []].map((sinks) =>
    policiesOf(templateOf({ job: version(sinks), parameters: {} })),
  ) as [Readonly<Record<string, PolicyResource>>, Readonly<Record<string, PolicyResource>>];
  const isTheirs = (grant: string): boolean => /goes|rows|messages/.test(grant);
  expect(Object.values(before).flatMap(grantsOf).filter(isTheirs).length).toBeGreaterThan(10);
  expect(Object.values(after).flatMap(grantsOf).filter(isTheirs)).toEqual([]);
  // CloudFormation changes what is in both templates at once, and removes what is in the first alone when all else is done.
  for (const [name, policy] of Object.entries(after)) {
    const kept = grantsOf(policy);
    const taken = before[name] === undefined ? [] : grantsOf(before[name]).filter((grant) => !kept.includes(grant));
    // Turning off what is removed is nobody's wish any more.
    expect(
      taken.filter((grant) => !/^lambda:\w+EventSourceMapping /.test(grant)),
      name,
    ).toEqual([]);
  }
});
