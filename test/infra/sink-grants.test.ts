/** What the functions of a job may do with the tables and queues that its sinks write to. */
import { expect, test } from 'vitest';
import { defineJob, dynamoDbSink, fromCollection, sqsSink } from '../../lib/index.ts';
import { templateOf } from './templates.ts';

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
  const { PolicyDocument: document } = (policies[0]![1] as { readonly Properties: { readonly PolicyDocument: { readonly Statement: readonly Statement[] } } }).Properties; // prettier-ignore
  const granted = document.Statement.filter(isTheirs).map(({ Action, Resource }) => `${String(Action)} ${JSON.stringify(Resource)}`).sort(); // prettier-ignore
  expect(granted).toEqual([
    expect.stringMatching(/^dynamodb:PutItem .*AWS::AccountId.*:table\/rows/),
    expect.stringMatching(/^dynamodb:PutItem .*:dynamodb:us-east-1:111122223333:table\/far-rows/),
    expect.stringMatching(/^sqs:SendMessage .*:sqs:eu-west-3:111122223333:messages/),
  ]);
});
