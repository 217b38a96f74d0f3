/** AWS's own rules over the app. What is suppressed has its evidence in infra/nag.ts. */
import { App, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { checkWithNag, findingsOf, isFor, suppressions } from '../../infra/nag.ts';
import { SluiceControlPlane } from '../../infra/sluice-control-plane.ts';
import { StreamingJob } from '../../infra/streaming-job.ts';
import { defineJob, dynamoDbSink, fromCollection, sqsSink } from '../../lib/index.ts';
import { job as pushed } from './pushed-job.ts';
import { appOf } from './templates.ts';

const root = join(import.meta.dirname, '../..');

describe('the app, under the rules of AwsSolutions', () => {
  test.each([
    ['IAM', {}],
    ['tokens', { jwt: { issuer: 'https://issuer.example', audience: ['sluice'] }, consoleOrigin: 'https://console.example' }],
  ])('has no error and no warning but what is suppressed, with %s', (_, plane) => {
    const { app } = appOf({}, plane);
    const findings = findingsOf(app).map(({ ruleName }) => ruleName);
    expect(findings.filter((name) => !suppressions.some((suppression) => isFor(suppression, name)))).toEqual([]);
    for (const suppression of suppressions)
      expect(
        findings.filter((name) => isFor(suppression, name)),
        suppression.evidence,
      ).not.toEqual([]);
    checkWithNag(app);
    expect(findingsOf(app)).toEqual([]);
  });

  test('has none either with push sources, sinks to tables and queues, and the savepoints of another deployment', () => {
    const app = new App();
    const stack = new Stack(app, 'Test');
    const controlPlane = new SluiceControlPlane(stack, 'ControlPlane', {
      savepointsIn: [Bucket.fromBucketName(stack, 'Old', 'left-behind')],
    });
    const pushedEntry = join(import.meta.dirname, 'pushed-job.ts');
    new StreamingJob(stack, 'Pushed', { controlPlane, job: pushed, entry: pushedEntry, intakes: { orders: { fifo: true } } });
    const delivering = defineJob({
      name: 'delivering',
      build: (env) => {
        const rows = env.fromSource(fromCollection<{ id: string }>([])).uid('in');
        rows.sinkTo(dynamoDbSink({ table: 'rows', key: 'id' })).uid('rows');
        rows.sinkTo(sqsSink({ queue: 'https://sqs.eu-west-3.amazonaws.com/111122223333/messages' })).uid('messages');
      },
    });
    new StreamingJob(stack, 'Delivering', { controlPlane, job: delivering, entry: pushedEntry });
    checkWithNag(app);
    expect(findingsOf(app).map(({ ruleName, violatingResources }) => [ruleName, violatingResources[0]?.constructPath])).toEqual([]);
  });

  test('has five suppressions at most, each with its evidence', () => {
    expect(suppressions.length).toBeLessThanOrEqual(5);
    for (const { evidence } of suppressions) expect(evidence.length).toBeGreaterThan(80);
  });

  test('finds what is wrong: a bucket without anything, and a wildcard that is nobody’s', () => {
    const app = new App();
    new Bucket(new Stack(app, 'Wrong'), 'Open');
    checkWithNag(app);
    expect(findingsOf(app).map(({ ruleName }) => ruleName)).toEqual(expect.arrayContaining(['AwsSolutions-S1', 'AwsSolutions-S10']));
    for (const name of ['AwsSolutions-IAM5[Action::s3:*]', 'AwsSolutions-IAM5[Resource::<ControlPlaneBucket.Arn>/*]', 'AwsSolutions-IAM5'])
      expect(
        suppressions.some((suppression) => isFor(suppression, name)),
        name,
      ).toBe(false);
  });

  test('is synthesised under them: the example passes, what is wrong fails', { timeout: 120_000 }, async () => {
    const out = await mkdtemp(join(tmpdir(), 'sluice-nag-'));
    const context = { input: 's3://in-bucket/flights/', output: 's3://out-bucket/out' };
    const env = { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context) };
    const synthesise = (...script: readonly string[]) =>
      promisify(execFile)(process.execPath, ['--conditions=sluice-source', ...script], { cwd: root, env });
    await expect(synthesise('infra/app.ts')).resolves.toBeDefined();
    const wrong = `import { App, Stack } from 'aws-cdk-lib'; import { Bucket } from 'aws-cdk-lib/aws-s3'; import { checkWithNag } from './infra/nag.ts';
      const app = new App(); new Bucket(new Stack(app, 'Wrong'), 'Open'); checkWithNag(app);`;
    await expect(synthesise('--input-type=module', '--eval', wrong)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('AwsSolutions-S1') as unknown,
    });
    await rm(out, { recursive: true });
  });
});
