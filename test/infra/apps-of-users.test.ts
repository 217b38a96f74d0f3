/** What users build with the constructs: several stacks, resources of their own as parameters, other deployments' savepoints. */
import { App, CfnParameter, Duration, Stack, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Table, AttributeType } from 'aws-cdk-lib/aws-dynamodb';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { job as flights } from '../../examples/flights/job.ts';
import { SluiceControlPlane } from '../../infra/sluice-control-plane.ts';
import { StreamingJob } from '../../infra/streaming-job.ts';
import { defineJob, dynamoDbSink, fromCollection, parameter } from '../../lib/index.ts';
import { appOf, resourcesOf, templateOf } from './templates.ts';

const entry = fileURLToPath(new URL('../../examples/flights/job.ts', import.meta.url));
const parameters = { input: 's3://in-bucket/flights.ndjson', output: 's3://out-bucket/out' };

/** What roles whose name begins so may do, as `action resource`. */
function grants(stack: Stack, role: RegExp): readonly string[] {
  const found = Object.values(resourcesOf(Template.fromStack(stack))).flatMap(({ Type, Properties }) => {
    if (Type !== 'AWS::IAM::Policy' || !(Properties['Roles'] as readonly { readonly Ref: string }[]).some(({ Ref }) => role.test(Ref)))
      return [];
    const { Statement } = Properties['PolicyDocument'] as {
      readonly Statement: readonly { Action: string | string[]; Resource: unknown }[];
    };
    return Statement.flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) => [Resource].flat().map((resource) => `${action} ${textOf(resource)}`)),
    );
  });
  return [...new Set(found)].sort();
}

/** Joins as they will be, with names of resources in angle brackets. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const {
    Ref,
    'Fn::Join': join,
    'Fn::GetAtt': attribute,
  } = value as { Ref?: string; 'Fn::Join'?: [string, unknown[]]; 'Fn::GetAtt'?: string[] };
  if (join !== undefined) return join[1].map(textOf).join(join[0]);
  return `<${Ref ?? attribute!.join('.')}>`;
}

// On a busy machine a bundle takes its time.
vi.setConfig({ testTimeout: 120_000 });

describe('a control plane', () => {
  test('serves jobs of other stacks, which know it and are not known by it', () => {
    const app = new App();
    const controlPlane = new SluiceControlPlane(new Stack(app, 'Plane'), 'Sluice');
    const stacks = ['One', 'Other'].map((name) => new Stack(app, name));
    for (const stack of stacks) new StreamingJob(stack, 'Job', { controlPlane, job: flights, entry, parameters });
    const [plane, ...jobs] = ['Plane', 'One', 'Other'].map((name) => app.synth().getStackByName(name));
    expect(plane!.dependencies.map(({ id }) => id).filter((id) => !id.endsWith('.assets'))).toEqual([]);
    for (const made of jobs) {
      expect(made.dependencies.map(({ id }) => id)).toContain('Plane');
      const { Resources } = made.template as { readonly Resources: Readonly<Record<string, { readonly Type: string }>> };
      const routes = Object.values(Resources).filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route');
      expect(routes).toHaveLength(12);
      for (const route of routes) expect(route).toMatchObject({ Properties: { AuthorizationType: 'AWS_IAM' } });
    }
  });

  test('refuses two jobs of which one would take the queues of the other', () => {
    const { stack, controlPlane } = appOf({ jobId: '0123456789abcdef0123456789abcdef' });
    const second = (): StreamingJob =>
      new StreamingJob(stack, 'Second', { controlPlane, job: flights, entry, parameters, jobId: '0123456789abcdefffffffffffffffff' });
    expect(second).toThrow('the jobs Test/Flights and Test/Second have ids that begin alike (0123456789abcdef)');
  });

  test('lets its jobs read the savepoints that another deployment has left, and write nothing there', () => {
    const app = new App();
    const stack = new Stack(app, 'Test');
    const old = Bucket.fromBucketName(stack, 'Old', 'left-behind');
    const controlPlane = new SluiceControlPlane(stack, 'Sluice', { savepointsIn: [old] });
    new StreamingJob(stack, 'Job', { controlPlane, job: flights, entry, parameters });
    for (const role of [/^JobCoordinatorTasks/, /^JobApi/]) {
      const there = grants(stack, role).filter((grant) => grant.includes(':left-behind'));
      expect(there.map((grant) => grant.replace('<AWS::Partition>', 'aws'))).toEqual([
        's3:GetObject arn:aws:s3:::left-behind/savepoints/*',
        's3:ListBucket arn:aws:s3:::left-behind',
      ]);
    }
    expect(grants(stack, /^JobOperator/).filter((grant) => grant.includes(':left-behind'))).toEqual([]);
  });

  test('that is to be destroyed with everything empties its buckets first: AWS deletes none that holds something', () => {
    const emptied = (template: Template) => Object.keys(template.findResources('Custom::S3AutoDeleteObjects')).length;
    expect(emptied(templateOf({}, { removal: 'destroy-everything' }))).toBe(2);
    expect(emptied(templateOf())).toBe(0);
  });

  test('forgets what its jobs have removed, from the logs of push sources too', () => {
    const [bucket] = Object.values(templateOf().findResources('AWS::S3::Bucket', { Properties: { LoggingConfiguration: {} } }));
    const { Rules } = (bucket as { Properties: { LifecycleConfiguration: { Rules: readonly Readonly<Record<string, unknown>>[] } } })
      .Properties.LifecycleConfiguration;
    const byPrefix = Rules.flatMap(({ Prefix, NoncurrentVersionExpiration: after }) => (after === undefined ? [] : [[Prefix, after]]));
    expect(byPrefix).toEqual(['jobs/', 'intake/'].map((prefix) => [prefix, { NoncurrentDays: 7 }]));
  });
});

describe('parameters', () => {
  const rows = defineJob({
    name: 'rows',
    parameters: { table: parameter.text() },
    build: (env, { table }) => void env.fromSource(fromCollection<{ id: string }>([])).uid('in').sinkTo(dynamoDbSink({ table, key: 'id' })).uid('rows'), // prettier-ignore
  });

  test('may name a bucket and a table of the same app, which the functions are told and allowed as they are deployed', () => {
    const stack = new Stack(new App(), 'Test');
    const controlPlane = new SluiceControlPlane(stack, 'Sluice');
    const bucket = new Bucket(stack, 'Data');
    const table = new Table(stack, 'Rows', { partitionKey: { name: 'id', type: AttributeType.STRING } });
    const own = { input: `s3://${bucket.bucketName}/in/`, output: bucket.s3UrlForObject('out') };
    new StreamingJob(stack, 'Files', { controlPlane, job: flights, entry, parameters: own });
    new StreamingJob(stack, 'Rows2', { controlPlane, job: rows, entry, parameters: { table: table.tableName } });
    const reference = textOf(stack.resolve(bucket.bucketName));
    const there = grants(stack, /^FilesOperator/).filter((grant) => grant.includes(`:s3:::${reference}`));
    expect(there.map((grant) => grant.replace(reference, 'DATA').replace('<AWS::Partition>', 'aws'))).toEqual([
      ...['s3:DeleteObject arn:aws:s3:::DATA/out/daily/*', 's3:DeleteObject arn:aws:s3:::DATA/out/seasons/*'],
      ...[
        's3:GetObject arn:aws:s3:::DATA/in/*',
        's3:GetObject arn:aws:s3:::DATA/out/daily/*',
        's3:GetObject arn:aws:s3:::DATA/out/seasons/*',
      ],
      ...['s3:ListBucket arn:aws:s3:::DATA'],
      ...['s3:PutObject arn:aws:s3:::DATA/out/daily/*', 's3:PutObject arn:aws:s3:::DATA/out/seasons/*'],
    ]);
    const put = grants(stack, /^Rows2CoordinatorTasks/).filter((grant) => grant.startsWith('dynamodb:PutItem'));
    expect(put.some((grant) => grant.endsWith(`:table/${textOf(stack.resolve(table.tableName))}`))).toBe(true);
    const text = JSON.stringify(Template.fromStack(stack).toJSON());
    expect(text).not.toContain('sluice-token');
    expect(text).not.toContain('Token[');
    const functions = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function', { Properties: { Handler: 'operator.handler' } })); // prettier-ignore
    const { Variables } = (functions[0] as { Properties: { Environment: { Variables: Readonly<Record<string, unknown>> } } }).Properties
      .Environment;
    expect(JSON.parse(textOf(Variables['SLUICE_OPTIONS']))).toMatchObject({ parameters: { input: `s3://${reference}/in/` } });
  });

  test('give the same names to policies in every synthesis, though CDK numbers what it does not know yet', () => {
    const policies = (before: number): readonly string[] => {
      const stack = new Stack(new App(), 'Test');
      const controlPlane = new SluiceControlPlane(stack, 'Sluice');
      const bucket = new Bucket(stack, 'Data');
      for (let i = 0; i < before; i++) void Token.asString({ Ref: `Other${i}` });
      const own = { input: `s3://${bucket.bucketName}/in/`, output: `s3://${new CfnParameter(stack, 'Out').valueAsString}/out` };
      new StreamingJob(stack, 'Files', { controlPlane, job: flights, entry, parameters: own });
      return Object.keys(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
    };
    expect(policies(0)).toEqual(policies(17));
  });

  test('that are ARNs or URLs of such are refused by their name, because nothing is known of them yet', () => {
    const stack = new Stack(new App(), 'Test');
    const controlPlane = new SluiceControlPlane(stack, 'Sluice');
    const table = new Table(stack, 'Rows', { partitionKey: { name: 'id', type: AttributeType.STRING } });
    for (const [id, given] of [table.tableArn, new Queue(stack, 'Q').queueUrl].entries())
      expect(() => new StreamingJob(stack, `Job${id}`, { controlPlane, job: rows, entry, parameters: { table: given } })).toThrow(
        'the parameter table has a token that is not the name of a bucket or a table',
      );
    const named = new CfnParameter(stack, 'TableName');
    new StreamingJob(stack, 'Named', { controlPlane, job: rows, entry, parameters: { table: named.valueAsString } });
    expect(grants(stack, /^NamedCoordinatorTasks/).filter((grant) => grant.endsWith(':table/<TableName>'))).toHaveLength(1);
  });

  test.each([
    ['s3://out-bucket/out/', 'out/daily/*'],
    ['S3://out-bucket//out', 'out/daily/*'],
    ['s3://out-bucket', 'daily/*'],
  ])('%s is allowed as it is written to', (output, wanted) => {
    const { stack } = appOf({ parameters: { input: 's3://in-bucket/in/*.parquet', output } });
    const there = grants(stack, /^FlightsOperator/).filter((grant) => /:s3:::(?:in|out)-bucket\//.test(grant));
    expect(there.filter((grant) => grant.includes('daily')).map((grant) => grant.replace(/.*:::out-bucket\//, ''))).toEqual([
      wanted,
      wanted,
      wanted,
    ]);
    expect(there.filter((grant) => grant.includes('in-bucket')).map((grant) => grant.replace('<AWS::Partition>', 'aws'))).toEqual([
      's3:GetObject arn:aws:s3:::in-bucket/in/*',
    ]);
  });
});

describe('a job', () => {
  const stateful = ['AWS::SQS::Queue', 'AWS::DynamoDB::GlobalTable', 'AWS::S3::Bucket'];
  /** What AWS cannot change in place. */
  const fixed = ['QueueName', 'FifoQueue', 'KeySchema', 'AttributeDefinitions', 'TableName', 'BucketName', 'BillingMode'];
  const kept = (template: Template): unknown =>
    Object.entries(resourcesOf(template))
      .filter(([, { Type }]) => stateful.includes(Type))
      .map(([name, { Properties }]) => [name, fixed.map((property) => Properties[property])]);

  test.each<readonly [string, Parameters<typeof templateOf>[0], Parameters<typeof templateOf>[1]]>([
    ['functionTimeout', { functionTimeout: Duration.minutes(1) }, {}],
    ['memorySize', { memorySize: 3_000 }, {}],
    ['sourceRecordsPerCommit', { sourceRecordsPerCommit: 10 }, {}],
    ['allowNonRestoredState', { allowNonRestoredState: true }, {}],
    ['maxConcurrency', { maxConcurrency: 2 }, {}],
    ['maxParallelism', { maxParallelism: 1_024 }, {}],
    ['parameters', { parameters: { input: 's3://other-bucket/in/', output: 's3://other-bucket/out' } }, {}],
    ['jwt', {}, { jwt: { issuer: 'https://issuer.example', audience: ['sluice'] } }],
    ['consoleOrigin', {}, { consoleOrigin: 'https://console.example.com' }],
    ['removal', {}, { removal: 'destroy-everything' }],
    ['enforceSSL', {}, { enforceSSL: false }],
    ['throttle', {}, { throttle: { requestsPerSecond: 1, burst: 1 } }],
  ])('keeps its queues, its table and its bucket under another %s', (_, props, plane) => {
    expect(kept(templateOf(props, plane))).toEqual(kept(templateOf()));
  });

  test('works with as many functions at a time as an operator has subtasks', () => {
    const most = (props: Parameters<typeof templateOf>[0]) => Object.values(templateOf(props).findResources('AWS::Lambda::EventSourceMapping')).map(({ Properties }) => (Properties as { ScalingConfig: { MaximumConcurrency: number } }).ScalingConfig.MaximumConcurrency); // prettier-ignore
    expect(Math.max(...most({ parallelism: 64 }))).toBe(64);
    expect(Math.max(...most({ parallelism: 64, maxConcurrency: 5 }))).toBe(5);
  });
});
