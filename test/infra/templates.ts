/** What an app with one job synthesises to. The functions' code is real: it is bundled once. */
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { fileURLToPath } from 'node:url';
import { job as flights } from '../../examples/flights/job.ts';
import { SluiceControlPlane, type SluiceControlPlaneProps } from '../../infra/sluice-control-plane.ts';
import { StreamingJob, type StreamingJobProps } from '../../infra/streaming-job.ts';

const entry = fileURLToPath(new URL('../../examples/flights/job.ts', import.meta.url));
const parameters = { input: 's3://in-bucket/flights.ndjson', output: 's3://out-bucket/out' };

export interface MadeApp {
  readonly app: App;
  readonly stack: Stack;
  readonly controlPlane: SluiceControlPlane;
  readonly streamingJob: StreamingJob;
}

export function appOf(props: Partial<StreamingJobProps> = {}, plane: SluiceControlPlaneProps = {}): MadeApp {
  const app = new App();
  const stack = new Stack(app, 'Test');
  const controlPlane = new SluiceControlPlane(stack, 'ControlPlane', plane);
  const streamingJob = new StreamingJob(stack, 'Flights', { controlPlane, job: flights, entry, parameters, parallelism: 4, ...props });
  return { app, stack, controlPlane, streamingJob };
}

export function templateOf(props: Partial<StreamingJobProps> = {}, plane: SluiceControlPlaneProps = {}): Template {
  return Template.fromStack(appOf(props, plane).stack);
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
}

export function resourcesOf(template: Template): Readonly<Record<string, Resource>> {
  return (template.toJSON() as { readonly Resources: Readonly<Record<string, Resource>> }).Resources;
}
