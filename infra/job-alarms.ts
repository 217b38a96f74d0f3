/**
 * What somebody should be woken for, and where it is looked up (docs/runbook). Made of what AWS measures anyway, and of metrics that the functions write into
 * their logs (lib/adapters/lambda/embedded-metrics.ts).
 *
 * AL1. A job that does nothing is no alarm: where there is no data, all is well.
 */
import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metricNamespace } from '../lib/model/metric-namespace.ts';
import type { Coordinator } from './coordinator.ts';
import type { SourceIntake } from './intake.ts';
import type { Operator } from './operator.ts';

export interface JobAlarmsProps {
  readonly jobId: string;
  readonly jobName: string;
  readonly table: TableV2;
  readonly operators: readonly Operator[];
  readonly coordinator: Coordinator;
  /** By name. */
  readonly intakes: ReadonlyMap<string, SourceIntake>;
  /** Told when an alarm goes off, and when it is over. */
  readonly topic?: ITopic | undefined;
}

interface Wanted {
  readonly id: string;
  readonly metric: IMetric;
  readonly threshold: number;
  /** Periods in a row. */
  readonly periods?: number;
  readonly what: string;
}

/** Well above what a retry, a restore or a cold start takes, and far below the retention of a queue. */
const oldestMessageSeconds = 300;
const failedCheckpoints = 3;
const period = Duration.minutes(1);

export function jobMetric(jobId: string, metricName: string, statistic: string = Stats.SUM): Metric {
  return new Metric({ namespace: metricNamespace, metricName, dimensionsMap: { job: jobId }, statistic, period: Duration.minutes(5) });
}

export class JobAlarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: JobAlarmsProps) {
    super(scope, id);
    const { jobName, topic } = props;
    const actions: readonly IAlarmAction[] = topic === undefined ? [] : [new SnsAction(topic)];
    this.alarms = wantedAlarms(props).map(({ id: name, metric, threshold, periods = 1, what }) => {
      const alarm = new Alarm(this, name, {
        metric,
        threshold,
        evaluationPeriods: periods,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
        alarmDescription: `Sluice job ${jobName}: ${what}`,
      });
      alarm.addAlarmAction(...actions);
      alarm.addOkAction(...actions);
      return alarm;
    });
  }
}

/** One per queue and function: it says by its name which, and costs the same as one over all of them. */
function wantedAlarms({ jobId, table, operators, coordinator, intakes }: JobAlarmsProps): readonly Wanted[] {
  const consumers = [
    ...operators,
    { node: coordinator.node, label: 'coordinator', queue: coordinator.queue, function: coordinator.messages },
  ];
  const ofTable = (metricName: string): IMetric => table.metric(metricName, { statistic: Stats.SUM, period });
  return [
    ...consumers.map(({ node, label, queue }) =>
      waiting(
        node.id,
        queue,
        `a message to ${label} waits for more than ${oldestMessageSeconds} s (docs/runbook/stuck-checkpoint.md, poison-record.md)`,
      ),
    ),
    ...[...intakes].flatMap(
      ([name, { node, queue }]) =>
      queue === null ? [] : [waiting(node.id, queue, `a message waits for more than ${oldestMessageSeconds} s to be taken in by ${name} (docs/runbook/throttling.md)`)], // prettier-ignore
    ),
    {
      id: 'FailedCheckpoints',
      metric: jobMetric(jobId, 'numberOfFailedCheckpoints').with({ period: Duration.minutes(15) }),
      threshold: failedCheckpoints,
      what: `${failedCheckpoints} checkpoints failed within 15 minutes (docs/runbook/stuck-checkpoint.md)`,
    },
    {
      id: 'FailedJob',
      metric: jobMetric(jobId, 'numberOfFailedJobs'),
      threshold: 1,
      what: 'the job has failed (docs/runbook/restore-after-a-bad-deploy.md)',
    },
    {
      id: 'DeadLetters',
      metric: jobMetric(jobId, 'deadLetters'),
      threshold: 1,
      what: 'records were set aside (docs/runbook/poison-record.md)',
    },
    ...consumers.map(({ node, label, function: { lambda } }) => throttled(node.id, label, lambda.metricThrottles({ period }))),
    ...[...intakes].map(
      ([
        name,
        {
          node,
          function: { lambda },
        },
      ]) => throttled(node.id, `the intake ${name}`, lambda.metricThrottles({ period })),
    ),
    throttled('Reads', 'reading the table', ofTable('ReadThrottleEvents')),
    throttled('Writes', 'writing the table', ofTable('WriteThrottleEvents')),
  ];
}

function throttled(id: string, who: string, metric: IMetric): Wanted {
  const what = `${who} is throttled for five minutes (docs/runbook/throttling.md)`;
  return { id: `Throttles-${id}`, metric, threshold: 1, periods: 5, what };
}

function waiting(id: string, queue: IQueue, what: string): Wanted {
  const metric = queue.metricApproximateAgeOfOldestMessage({ period, statistic: Stats.MAXIMUM });
  return { id: `OldestMessage-${id}`, metric, threshold: oldestMessageSeconds, periods: 3, what };
}
