/** What a job costs, as far as its checkpoints carry bills: ours, beside Flink's fields. */
import { dollarsOf } from '../../cost/dollars.ts';
import { deployedOf } from '../../cost/idle-month.ts';
import { usEast1 } from '../../cost/prices.ts';
import { requestsOf } from '../../model/bill.ts';
import type { CheckpointEntry } from '../../ports/job-history.ts';
import type { CheckpointsOfJob } from '../checkpoints-of-job.ts';
import type { JobDetails } from '../job-details.ts';

type View = Readonly<Record<string, unknown>>;

/** Part of a checkpoint; nothing where it has no bill, as on a laptop. A history would be long with all counts. */
export function costView({ bill, records }: CheckpointEntry, withBill: boolean): View {
  if (bill === undefined) return {};
  const { total } = dollarsOf(bill, usEast1);
  const prices = `${usEast1.region} ${usEast1.asOf}`;
  const read = records === undefined ? {} : { records_read: records };
  return { cost: { requests: requestsOf(bill), usd: total, prices, ...read, ...(withBill ? { bill } : {}) } };
}

export function jobCostView(details: JobDetails, { counts, pending, ended, lastRestore, billed }: CheckpointsOfJob): View {
  const { fifoQueues, standardQueues, alarmMetrics, dashboards } = deployedOf(details.plan);
  const newest = ended.find(({ failure }) => failure === null);
  return {
    jid: details.job,
    name: details.name,
    // Its history goes back to its beginning, and it has begun with nothing.
    'from-beginning': lastRestore === null && counts.restored === 0 && counts.completed + counts.failed <= ended.length,
    deployed: {
      'fifo-queues': fifoQueues,
      'standard-queues': standardQueues,
      'alarm-metrics': alarmMetrics,
      dashboards,
      'state-size': newest?.vertices.reduce((sum, { stateBytes }) => sum + stateBytes, 0) ?? 0,
    },
    'in-progress': pending.length,
    checkpoints: [...ended].reverse().map(({ id, failure, endedAtMs, records, bill }) => ({
      id,
      status: failure === null ? 'COMPLETED' : 'FAILED',
      'end-time': endedAtMs,
      records: records ?? null,
      bill: bill ?? null,
    })),
    operations: billed.map(({ trigger, kind, changedAtMs, bill }) => ({ 'request-id': trigger, kind, 'end-time': changedAtMs, bill })),
  };
}
