/**
 * A job, deployed: `npx cdk deploy -c job=examples/flights/job.ts -c input=s3://… -c output=s3://…`. The example's parameters are given by their names; what
 * else is said with `-c name=value` is for tests, and for trying. An app of your own has the same five lines with its own job.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  App,
  CfnOutput,
  CliCredentialsStackSynthesizer,
  DefaultStackSynthesizer,
  Duration,
  Stack,
  type IReusableStackSynthesizer,
} from 'aws-cdk-lib';
import type { Job } from '../lib/dsl/define-job.ts';
import { checkWithNag } from './nag.ts';
import { SluiceControlPlane } from './sluice-control-plane.ts';
import { StreamingJob } from './streaming-job.ts';

const app = new App();
const said = (name: string): string | undefined => app.node.tryGetContext(name) as string | undefined;
const numberOf = (name: string): number | undefined => (said(name) === undefined ? undefined : Number(said(name)));

const entry = resolve(said('job') ?? 'examples/flights/job.ts');
const { job } = (await import(pathToFileURL(entry).href)) as { readonly job: Job };
const parameters = Object.fromEntries(
  Object.keys(job.parameters ?? {}).flatMap((name) => (said(name) === undefined ? [] : [[name, said(name)!]])),
);

// With credentials of its own the deploy of an emulator needs none of the roles that the bootstrap makes.
const synthesizer = said('cliCredentials') === undefined ? new DefaultStackSynthesizer() : new CliCredentialsStackSynthesizer();
const stack = new Stack(app, 'SluiceExamples', { synthesizer: synthesizer as IReusableStackSynthesizer });
const plainHttp = said('plainHttp') !== undefined;
const consoleOrigin = said('consoleOrigin');
const consoleFolder = said('console');
const issuer = said('jwtIssuer');
const controlPlane = new SluiceControlPlane(stack, 'ControlPlane', {
  enforceSSL: !plainHttp,
  ...(consoleOrigin === undefined ? {} : { consoleOrigin }),
  ...(consoleFolder === undefined ? {} : { console: { folder: consoleFolder } }),
  ...(issuer === undefined ? {} : { jwt: { issuer, audience: (said('jwtAudience') ?? '').split(',') } }),
});
const timeoutSeconds = numberOf('functionTimeoutSeconds');
const recordsPerCommit = numberOf('recordsPerCommit');
const streamingJob = new StreamingJob(stack, 'Flights', {
  controlPlane,
  job,
  entry,
  parameters,
  parallelism: numberOf('parallelism') ?? 4,
  ...(timeoutSeconds === undefined ? {} : { functionTimeout: Duration.seconds(timeoutSeconds) }),
  ...(recordsPerCommit === undefined ? {} : { sourceRecordsPerCommit: recordsPerCommit }),
});

new CfnOutput(stack, 'JobId', { value: streamingJob.jobId });
new CfnOutput(stack, 'ApiUrl', { value: controlPlane.api.apiEndpoint });
new CfnOutput(stack, 'ApiId', { value: controlPlane.api.apiId });
if (controlPlane.console !== undefined) new CfnOutput(stack, 'ConsoleUrl', { value: controlPlane.console.origin });
new CfnOutput(stack, 'Bucket', { value: controlPlane.bucket.bucketName });
new CfnOutput(stack, 'Table', { value: controlPlane.table.tableName });

// What is for an emulator without TLS cannot pass.
if (!plainHttp) checkWithNag(app);
