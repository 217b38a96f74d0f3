/** What AWS bills in a month for a job that does nothing: its own polling of the queues, alarms, storage, logs. None of it is a request of ours. */
import { intakeOptionsOf } from '../model/intake.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { PriceTable } from './prices.ts';

export interface Deployed {
  readonly fifoQueues: number;
  readonly standardQueues: number;
  /** An alarm is billed for each metric that it looks at. */
  readonly alarmMetrics: number;
  readonly dashboards: number;
  /** Of keyed state: once in the base, once in objects. */
  readonly stateBytes: number;
}

/**
 * As infra/ makes it for a job (test/infra/deployed-cost.test.ts compares): a queue for each vertex and for the coordinator, one for delays, and what senders
 * send to, taken for standard queues. The alarms look at the age of the messages in each, but for delays, and at the throttles of its function, at those of
 * the table, and at three counts of the job.
 */
export function deployedOf({ vertices }: Pick<JobPlan, 'vertices'>): Omit<Deployed, 'stateBytes'> {
  const consumers = vertices.length + 1;
  const intakes = vertices.flatMap(({ operators }) => intakeOptionsOf(operators[0]?.connector) ?? []);
  const queues = intakes.filter(({ kind }) => kind === 'sqs').length;
  const alarmMetrics = 2 * consumers + intakes.length + queues + 2 + 3;
  return { fifoQueues: consumers, standardQueues: 1 + queues, alarmMetrics, dashboards: 1 };
}

export interface IdleMonth {
  readonly polling: number;
  readonly alarms: number;
  readonly dashboards: number;
  readonly storage: number;
  readonly total: number;
}

export const hoursPerMonth = 730;
/** An event source keeps five long polls of 20 s going; fewer it does with only where no maximum concurrency is set. */
const pollers = 5;
const pollSeconds = 20;
const bytesPerGb = 1024 ** 3;

export function idleMonth(deployed: Deployed, prices: PriceTable): IdleMonth {
  const { perMillion, perGbMonth } = prices;
  const polls = (pollers * hoursPerMonth * 3_600) / pollSeconds;
  const perPoll = deployed.fifoQueues * perMillion['fifo-64kb'] + deployed.standardQueues * perMillion['standard-64kb'];
  const polling = (polls * perPoll) / 1e6;
  const alarms = deployed.alarmMetrics * prices.alarmMetricMonth;
  const dashboards = deployed.dashboards * prices.dashboardMonth;
  const storage = (deployed.stateBytes / bytesPerGb) * (perGbMonth.dynamodb + perGbMonth.pointInTimeRecovery + perGbMonth.s3);
  return { polling, alarms, dashboards, storage, total: polling + alarms + dashboards + storage };
}
