/** What is watched, read off the template. */
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { job } from '../../examples/flights/job.ts';
import { SluiceControlPlane } from '../../infra/sluice-control-plane.ts';
import { StreamingJob } from '../../infra/streaming-job.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const stack = new Stack(new App(), 'Test');
const parameters = { input: 's3://in-bucket/flights.ndjson', output: 's3://out-bucket/out' };
const streaming = new StreamingJob(stack, 'Flights', {
  ...{ controlPlane: new SluiceControlPlane(stack, 'ControlPlane'), job, entry: `${root}/examples/flights/job.ts`, parameters },
  alarmTopic: new Topic(stack, 'Topic'),
});
const template = Template.fromStack(stack);

interface AlarmProperties {
  readonly AlarmDescription: string;
  readonly MetricName?: string;
  readonly Metrics?: readonly unknown[];
}
const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties as AlarmProperties);

describe('the alarms of a job', () => {
  test('are: messages that wait, failed checkpoints, a failed job, failing steps, dead letters, throttles', () => {
    const said = alarms.map(({ AlarmDescription: text }) => text.replace(/^Sluice job [^:]+: /, '').replace(/ \(.*/, ''));
    const consumers = [...streaming.operators.map(({ label }) => label), 'coordinator'];
    expect(said.sort()).toEqual(
      [
        ...consumers.map((label) => `a message to ${label} waits for more than 300 s`),
        ...['3 checkpoints failed within 15 minutes', 'the job has failed', 'records were set aside'],
        'steps of flows have failed for half an hour: a permission may be missing',
        ...[...consumers, 'reading the table', 'writing the table'].map((who) => `${who} is throttled for five minutes`),
      ].sort(),
    );
  });

  test('tell the topic when they go off and when they are over, and an idle job is none', () => {
    template.allResourcesProperties(
      'AWS::CloudWatch::Alarm',
      Match.objectLike({ TreatMissingData: 'notBreaching', AlarmActions: [Match.anyValue()], OKActions: [Match.anyValue()] }),
    );
  });

  test('look at the queue and the function of every operator, and of the coordinator', () => {
    const text = JSON.stringify(alarms);
    for (const {
      queue,
      function: { lambda },
    } of streaming.operators) {
      expect(text).toContain(JSON.stringify(stack.resolve(queue.queueName)));
      expect(text).toContain(JSON.stringify(stack.resolve(lambda.functionName)));
    }
    expect(text).toContain(JSON.stringify(stack.resolve(streaming.coordinator.queue.queueName)));
  });

  test('each name a page of the runbook that is there', () => {
    for (const { AlarmDescription: text } of alarms) {
      const pages = text.match(/[\w-]+\.md/g) ?? [];
      expect(pages, text).not.toEqual([]);
      for (const page of pages) expect(existsSync(`${root}/docs/runbook/${page}`), page).toBe(true);
    }
  });
});

test('a job has a dashboard of its own', () => {
  template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  template.hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: `sluice-${streaming.jobId.slice(0, 16)}` });
});
