/** The examples, deployed: `npx cdk deploy`. What is said with `-c name=value` is for the tests and for trying. */
import { App, Duration, Stack } from 'aws-cdk-lib';
import { fileURLToPath } from 'node:url';
import { job as flights } from '../examples/flights/job.ts';
import { SluiceControlPlane } from './sluice-control-plane.ts';
import { StreamingJob } from './streaming-job.ts';

const app = new App();
const stack = new Stack(app, 'SluiceExamples');
const controlPlane = new SluiceControlPlane(stack, 'ControlPlane');
new StreamingJob(stack, 'Flights', {
  controlPlane,
  job: flights,
  entry: fileURLToPath(import.meta.resolve('../examples/flights/job.ts')),
  parallelism: 4,
  functionTimeout: Duration.seconds(30),
});
