/** One page for one job: is it behind, do checkpoints work, what fails, what is throttled. */
import { Dashboard, GraphWidget, type IMetric, LogQueryWidget, Stats, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { awsPrefix } from '../lib/model/aws-names.ts';
import type { JobId } from '../lib/base/ids.ts';
import type { Coordinator } from './coordinator.ts';
import { jobMetric } from './job-alarms.ts';
import type { Operator } from './operator.ts';

export interface JobDashboardProps {
  readonly jobId: JobId;
  readonly jobName: string;
  readonly operators: readonly Operator[];
  readonly coordinator: Coordinator;
}

const period = Duration.minutes(1);
const half = 12;

export class JobDashboard extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, { jobId, jobName, operators, coordinator }: JobDashboardProps) {
    super(scope, id);
    const graph = (title: string, left: readonly IMetric[], right: readonly IMetric[] = []): GraphWidget =>
      new GraphWidget({ title, left: [...left], right: [...right], width: half, height: 6 });
    const of = (metric: (operator: Operator) => IMetric): readonly IMetric[] => operators.map(metric);
    const functions = [
      ...operators.map(({ function: { lambda }, label }) => ({ lambda, label })),
      { lambda: coordinator.messages.lambda, label: 'coordinator, messages' },
      { lambda: coordinator.tasks.lambda, label: 'coordinator, steps' },
    ];
    this.dashboard = new Dashboard(this, 'Dashboard', { dashboardName: awsPrefix(jobId), defaultInterval: Duration.hours(3) });
    this.dashboard.addWidgets(
      new TextWidget({
        markdown: `# ${jobName}\nSluice job \`${jobId}\`. What to do about what you see: docs/runbook.`,
        width: 24,
        height: 2,
      }),
    );
    this.dashboard.addWidgets(
      graph('Waiting: age of the oldest message (s)', of(({ queue, label }) => queue.metricApproximateAgeOfOldestMessage({ period, label, statistic: Stats.MAXIMUM }))), // prettier-ignore
      graph(
        'Messages sent to operators',
        of(({ queue, label }) => queue.metricNumberOfMessagesSent({ period, label })),
      ),
      graph('Checkpoints', [jobMetric(jobId, 'numberOfCompletedCheckpoints'), jobMetric(jobId, 'numberOfFailedCheckpoints')], [jobMetric(jobId, 'lastCheckpointDuration', Stats.MAXIMUM)]), // prettier-ignore
      graph('Restarts, dead letters', [jobMetric(jobId, 'numRestarts'), jobMetric(jobId, 'deadLetters')], [jobMetric(jobId, 'lastCheckpointSize', Stats.MAXIMUM)]), // prettier-ignore
      graph('Invocations', of(({ function: { lambda }, label }) => lambda.metricInvocations({ period, label })), of(({ function: { lambda }, label }) => lambda.metricDuration({ period, label: `${label} (ms)` }))), // prettier-ignore
      graph('Errors and throttles', functions.flatMap(({ lambda, label }) => [lambda.metricErrors({ period, label: `${label}: errors` }), lambda.metricThrottles({ period, label: `${label}: throttles` })])), // prettier-ignore
    );
    this.dashboard.addWidgets(
      new LogQueryWidget({
        title: 'What went wrong last',
        logGroupNames: functions.map(({ lambda }) => lambda.logGroup.logGroupName),
        queryLines: [
          'fields @timestamp, level, message, code',
          "filter level in ['warn', 'error', 'WARN', 'ERROR']",
          'sort @timestamp desc',
          'limit 50',
        ],
        region: Stack.of(this).region,
        width: 24,
        height: 8,
      }),
    );
  }
}
