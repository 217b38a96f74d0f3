/** `cdk --app "node --conditions=sluice-source test/deployed/poison-app/app.ts"`: the job beside this file, on an emulator, with little time and memory. */
import { App, CfnOutput, CliCredentialsStackSynthesizer, Duration, Stack, type IReusableStackSynthesizer } from 'aws-cdk-lib';
import { fileURLToPath } from 'node:url';
import { SluiceControlPlane } from '../../../infra/sluice-control-plane.ts';
import { StreamingJob } from '../../../infra/streaming-job.ts';
import { job } from './job.ts';

const app = new App();
const stack = new Stack(app, 'Poison', { synthesizer: new CliCredentialsStackSynthesizer() as IReusableStackSynthesizer });
const controlPlane = new SluiceControlPlane(stack, 'ControlPlane', { enforceSSL: false });
const said = (name: string): string => app.node.getContext(name) as string;
const streamingJob = new StreamingJob(stack, 'Job', {
  controlPlane,
  job,
  entry: fileURLToPath(new URL('./job.ts', import.meta.url)),
  parameters: { input: said('input'), output: said('output') },
  parallelism: 2,
  functionTimeout: Duration.seconds(Number(said('functionTimeoutSeconds'))),
});
const output = (name: string, value: string): CfnOutput => new CfnOutput(stack, name, { value });

for (const [index, { function: operator }] of streamingJob.operators.entries()) {
  const { uid } = streamingJob.plan.vertices[index]!;
  // What ends a process is looked for from its second try on, and one has less memory than this machine.
  operator.lambda.addEnvironment('SLUICE_SETTINGS', JSON.stringify({ triesBeforeCare: 2 }));
  if (uid === 'greedy') operator.lambda.addEnvironment('NODE_OPTIONS', '--enable-source-maps --max-old-space-size=96');
  output(`Operator${uid}`, operator.lambda.functionName);
}
output('JobId', streamingJob.jobId);
output('ApiId', controlPlane.api.apiId);
output('Bucket', controlPlane.bucket.bucketName);
output('Table', controlPlane.table.tableName);
output('QueueUrl', streamingJob.intakes.get('orders')!.queue!.queueUrl);
output('Tasks', streamingJob.coordinator.tasks.lambda.functionName);
output('Changes', streamingJob.api.function.lambda.functionName);
output('Relay', streamingJob.relay.function.lambda.functionName);
