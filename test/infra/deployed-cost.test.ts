/** That the cost of an idle month counts what is deployed, read off the template. */
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { job } from '../../examples/flights/job.ts';
import { SluiceControlPlane } from '../../infra/sluice-control-plane.ts';
import { StreamingJob } from '../../infra/streaming-job.ts';
import { deployedOf } from '../../lib/cost/idle-month.ts';
import { compileJob } from '../../lib/dsl/compile-job.ts';

const parameters = { input: 's3://in-bucket/flights.ndjson', output: 's3://out-bucket/out' };

interface Alarm {
  readonly Properties: { readonly MetricName?: string; readonly Metrics?: readonly { readonly MetricStat?: unknown }[] };
}

test('the queues, alarms and dashboards of a job are those that its idle month counts', () => {
  const stack = new Stack(new App(), 'Test');
  const entry = fileURLToPath(new URL('../../examples/flights/job.ts', import.meta.url));
  new StreamingJob(stack, 'Flights', { controlPlane: new SluiceControlPlane(stack, 'ControlPlane'), job, entry, parameters });
  const template = Template.fromStack(stack);
  const { fifoQueues, standardQueues, alarmMetrics, dashboards } = deployedOf(compileJob(job, { parameters }).plan);
  const countOf = (type: string, properties: object = {}): number =>
    Object.keys(template.findResources(type, { Properties: properties })).length;
  expect(countOf('AWS::SQS::Queue', { FifoQueue: true })).toBe(fifoQueues);
  expect(countOf('AWS::SQS::Queue')).toBe(fifoQueues + standardQueues);
  expect(countOf('AWS::Lambda::EventSourceMapping')).toBe(fifoQueues + standardQueues);
  expect(countOf('AWS::CloudWatch::Dashboard')).toBe(dashboards);
  const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')) as unknown as readonly Alarm[];
  const metricsOf = ({ Properties: { MetricName, Metrics = [] } }: Alarm): number =>
    MetricName === undefined ? Metrics.filter(({ MetricStat }) => MetricStat !== undefined).length : 1;
  expect(alarms.reduce((sum, alarm) => sum + metricsOf(alarm), 0)).toBe(alarmMetrics);
});
