/** Least privilege, read off the template: what each role may do, and on what. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anywhereActions } from '../../infra/anywhere-actions.ts';
import { unusedByIntakes, unusedGrants } from '../deployed/granted/unused-grants.ts';
import { resourcesOf, templateOf } from './templates.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

interface PolicyProperties {
  readonly PolicyDocument: { readonly Statement: readonly Statement[] };
  readonly Roles?: readonly { readonly Ref: string }[];
}

const resources = resourcesOf(templateOf({ jobId: '0123456789abcdef0123456789abcdef' }));
const policies = Object.values(resources)
  .filter(({ Type }) => Type === 'AWS::IAM::Policy')
  .map(({ Properties }) => Properties as unknown as PolicyProperties);
const statementsOf = (role: RegExp): readonly Statement[] =>
  policies
    .filter(({ Roles }) => Roles?.some(({ Ref }) => role.test(Ref)) === true)
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
const actionsOf = (statements: readonly Statement[]): readonly string[] => [...new Set(statements.flatMap(({ Action }) => Action))].sort();
const all = statementsOf(/./);

describe('what functions may do', () => {
  test('is named action by action, and is in policies of our own', () => {
    expect(actionsOf(all).filter((action) => action.includes('*'))).toEqual([]);
    for (const { Type, Properties } of Object.values(resources)) {
      if (Type === 'AWS::IAM::Role') expect(Properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });

  test('is for all resources only where AWS knows none, each listed with its reason', () => {
    const anywhere = all.filter(({ Resource }) => Resource === '*' || (Array.isArray(Resource) && Resource.includes('*')));
    expect(actionsOf(anywhere)).toEqual(Object.keys(anywhereActions).sort());
    for (const reason of Object.values(anywhereActions)) expect(reason.length).toBeGreaterThan(20);
  });

  test('with the user’s data follows from the URIs of the plan', () => {
    const text = JSON.stringify(all);
    expect(text).toContain(':s3:::in-bucket/flights.ndjson"');
    expect(text).toContain(':s3:::out-bucket/out/daily/*');
    const written = all.filter(({ Action }) => Action.includes('s3:PutObject'));
    expect(JSON.stringify(written)).not.toContain('in-bucket');
  });

  test('with the user’s data is for who reads it, who stages it and who shows it', () => {
    const placesOf = (role: RegExp): readonly string[] =>
      ['in-bucket', 'out-bucket/out/daily', 'out-bucket/out/seasons'].filter((place) => JSON.stringify(statementsOf(role)).includes(place));
    expect(placesOf(/^FlightsOperatorflights/)).toEqual(['in-bucket']);
    expect(placesOf(/^FlightsOperatordaily/)).toEqual(['out-bucket/out/daily']);
    expect(placesOf(/^FlightsOperatorseasons/)).toEqual(['out-bucket/out/seasons']);
    expect(placesOf(/^FlightsCoordinatorTasks/)).toEqual(['out-bucket/out/daily', 'out-bucket/out/seasons']);
    expect(placesOf(/^Flights(?:CoordinatorMessages|Api|Deployment|Relay)|^ControlPlane/)).toEqual([]);
  });

  test('of the relay is to put aside what is no message of ours, and nothing else in the bucket', () => {
    const own = statementsOf(/^FlightsRelayR/).filter(({ Resource }) => JSON.stringify(Resource).includes('ControlPlaneBucket'));
    expect(actionsOf(own)).toEqual(['s3:PutObject']);
    expect(JSON.stringify(own)).toContain('/strange/*');
  });

  test('lets the flows’ steps turn the job’s event sources on and off, and no others', () => {
    const turning = all.filter(({ Action }) => Action.includes('lambda:UpdateEventSourceMapping'));
    expect(turning).toHaveLength(1);
    const mappings = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::Lambda::EventSourceMapping');
    expect(turning[0]!.Resource).toHaveLength(mappings.length);
    for (const [name] of mappings) expect(JSON.stringify(turning[0]!.Resource)).toContain(name);
  });

  test('in the table is for the keys of the job, and for nobody to remove an audit record', () => {
    const ofJobs = statementsOf(/^Flights/).filter(({ Action }) => JSON.stringify(Action).includes('dynamodb:'));
    expect(ofJobs.length).toBeGreaterThan(5);
    for (const { Action, Condition } of ofJobs) {
      const keys = (Condition as Record<string, Record<string, readonly string[]>>)['ForAllValues:StringLike']!['dynamodb:LeadingKeys']!;
      for (const key of keys) expect(key).toMatch(/^(?:jobs$|[a-z]#0123456789abcdef0123456789abcdef(?:$|[#.]))/);
      if (keys.some((key) => key.startsWith('u#'))) expect(Action).toEqual(['dynamodb:Query', 'dynamodb:PutItem']);
    }
    const recorders = policies.filter(({ PolicyDocument }) => JSON.stringify(PolicyDocument).includes('u#'));
    expect(recorders.map(({ Roles }) => Roles!.map(({ Ref }) => Ref))).toEqual([
      [expect.stringContaining('FlightsCoordinatorTasks')],
      [expect.stringContaining('FlightsApi')],
    ]);
  });

  test('of the function that answers questions is reading, and neither savepoints nor the user’s data', () => {
    const statements = statementsOf(/^ControlPlaneOverview/);
    expect(actionsOf(statements)).toEqual([
      ...['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'],
      ...['logs:CreateLogStream', 'logs:PutLogEvents', 's3:GetObject', 's3:ListBucket'],
    ]);
    const objects = statements.filter(({ Action }) => Action.includes('s3:GetObject'));
    expect(JSON.stringify(objects)).toContain('/jobs/*');
    expect(JSON.stringify(objects)).not.toMatch(/savepoints|in-bucket|out-bucket/);
  });

  test('of an operator is no savepoint, no execution and no removal of objects', () => {
    const actions = actionsOf(statementsOf(/^FlightsOperator/));
    expect(actions.filter((action) => /^(?:states|lambda|execute-api):/.test(action))).toEqual([]);
    const own = statementsOf(/^FlightsOperator/).filter(({ Resource }) => JSON.stringify(Resource).includes('ControlPlaneBucket'));
    expect(actionsOf(own)).toEqual(['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListBucket', 's3:PutObject']);
    expect(JSON.stringify(own)).not.toContain('savepoints');
  });
});

test('a reason for a grant that no deployed run uses names a test that is there', () => {
  const named = [...unusedGrants, ...unusedByIntakes].flatMap(({ shownBy }) => (shownBy === null ? [] : [shownBy]));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !existsSync(join(import.meta.dirname, '../..', path)))).toEqual([]);
});
