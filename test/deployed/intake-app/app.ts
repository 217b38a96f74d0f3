/** `cdk --app "node --conditions=sluice-source test/deployed/intake-app/app.ts"`: the job beside this file, on an emulator. */
import { App, CfnOutput, CliCredentialsStackSynthesizer, Stack, type IReusableStackSynthesizer } from 'aws-cdk-lib';
import { fileURLToPath } from 'node:url';
import { SluiceControlPlane } from '../../../infra/sluice-control-plane.ts';
import { StreamingJob } from '../../../infra/streaming-job.ts';
import { job } from './job.ts';

const app = new App();
const stack = new Stack(app, 'Intakes', { synthesizer: new CliCredentialsStackSynthesizer() as IReusableStackSynthesizer });
const controlPlane = new SluiceControlPlane(stack, 'ControlPlane', { enforceSSL: false });
const streamingJob = new StreamingJob(stack, 'Job', {
  controlPlane,
  job,
  entry: fileURLToPath(new URL('./job.ts', import.meta.url)),
  parameters: { output: app.node.getContext('output') as string },
  parallelism: 2,
});

new CfnOutput(stack, 'JobId', { value: streamingJob.jobId });
new CfnOutput(stack, 'ApiId', { value: controlPlane.api.apiId });
new CfnOutput(stack, 'QueueUrl', { value: streamingJob.intakes.get('orders')!.queue!.queueUrl });
