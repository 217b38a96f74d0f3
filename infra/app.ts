/**
 * The examples, deployed: `npx cdk deploy -c input=s3://… -c output=s3://…`. What else is said with `-c name=value` is for tests, and for trying.
 */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { fileURLToPath } from 'node:url';
import { job } from '../examples/flights/job.ts';
import { SluiceControlPlane } from './sluice-control-plane.ts';
import { StreamingJob } from './streaming-job.ts';

const app = new App();
const stack = new Stack(app, 'SluiceExamples');
const said = (name: string): string | undefined => stack.node.tryGetContext(name) as string | undefined;
const parameters = Object.fromEntries(
  ['input', 'output', 'limit'].flatMap((name) => (said(name) === undefined ? [] : [[name, said(name)!]])),
);

const controlPlane = new SluiceControlPlane(stack, 'ControlPlane', { enforceSSL: said('plainHttp') === undefined });
const flights = new StreamingJob(stack, 'Flights', {
  controlPlane,
  job,
  entry: fileURLToPath(import.meta.resolve('../examples/flights/job.ts')),
  parameters,
  parallelism: Number(said('parallelism') ?? 4),
  functionTimeout: Duration.seconds(Number(said('functionTimeoutSeconds') ?? 30)),
});

new CfnOutput(stack, 'JobId', { value: flights.jobId });
new CfnOutput(stack, 'ApiUrl', { value: controlPlane.api.apiEndpoint });
new CfnOutput(stack, 'Bucket', { value: controlPlane.bucket.bucketName });
new CfnOutput(stack, 'Table', { value: controlPlane.table.tableName });
