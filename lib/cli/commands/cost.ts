import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorMessage, SluiceError } from '../../base/errors.ts';
import { costReport, type BilledCheckpoint, type CostReport } from '../../cost/cost-report.ts';
import { idleMonth, type Deployed, type IdleMonth } from '../../cost/idle-month.ts';
import { readPrices, usEast1, type PriceTable } from '../../cost/prices.ts';
import { dollarsOf, type Dollars } from '../../cost/dollars.ts';
import { addBills, type Bill } from '../../model/bill.ts';
import type { ListedJob } from '../api-client.ts';
import { readBilledFiles } from '../billed-files.ts';
import type { CliIo } from '../cli-io.ts';
import { costText } from '../cost-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { findJob } from '../find-job.ts';
import { findServer, type ServerOptions } from '../find-server.ts';

export interface CostOptions extends ServerOptions {
  readonly json: boolean;
  readonly from?: string;
  readonly prices?: string;
  readonly region?: string;
  readonly stateGb?: number;
  readonly printPrices: boolean;
}

/** As `GET /jobs/:jobid/cost` answers (lib/api/views/cost-view.ts). */
interface CostAnswer {
  readonly jid: string;
  readonly name: string;
  readonly 'from-beginning': boolean;
  readonly deployed: Readonly<Record<'fifo-queues' | 'standard-queues' | 'alarm-metrics' | 'dashboards' | 'state-size', number>>;
  readonly checkpoints: readonly {
    readonly id: number;
    readonly status: 'COMPLETED' | 'FAILED';
    readonly 'end-time': number;
    readonly records: number | null;
    readonly bill: Bill | null;
  }[];
  /** Of a server before this was told: absent. */
  readonly operations?: readonly { readonly bill: Bill }[];
}

interface JobCosts {
  readonly job: string;
  readonly name: string;
  readonly isFromBeginning: boolean;
  /** null: only files are known. */
  readonly deployed: Deployed | null;
  readonly checkpoints: readonly BilledCheckpoint[];
  /** Of savepoints and restores: in no checkpoint's. */
  readonly operations: readonly Bill[];
}

export interface ToldCost {
  readonly job: string;
  readonly name: string;
  readonly prices: PriceTable;
  readonly report: CostReport;
  readonly idle: IdleMonth | null;
  /** Savepoints, restores and the like, which people ask for. */
  readonly operations: { readonly count: number; readonly bill: Bill; readonly dollars: Dollars } | null;
}

export async function cost(io: CliIo, jobName: string | undefined, options: CostOptions): Promise<number> {
  const prices = pricesOf(io, options);
  if (options.printPrices) {
    io.out(`${JSON.stringify(prices, null, 2)}\n`);
    return exitCodes.done;
  }
  if (jobName !== undefined && options.from !== undefined) throw jobAndFiles(jobName);
  const costs = options.from === undefined ? await askServer(io, jobName, options) : readFiles(resolve(io.folder, options.from));
  const report = costReport(costs.checkpoints, costs.isFromBeginning, prices);
  if (report === undefined) throw noBills(costs);
  const { job, name, deployed } = costs;
  const idle = deployed === null ? null : idleMonth(deployed, prices);
  const told: ToldCost = { job, name, prices, report, idle, operations: costOfOperations(costs, prices) };
  io.out(options.json ? `${JSON.stringify(jsonOf(told))}\n` : costText(told));
  return exitCodes.done;
}

function costOfOperations({ operations }: JobCosts, prices: PriceTable): ToldCost['operations'] {
  const bill = addBills(...operations);
  return bill === undefined ? null : { count: operations.length, bill, dollars: dollarsOf(bill, prices) };
}

function pricesOf(io: CliIo, { prices: file, region = usEast1.region }: CostOptions): PriceTable {
  const prices = file === undefined ? usEast1 : readPriceFile(resolve(io.folder, file));
  if (prices.region === region || file !== undefined) return prices;
  throw new SluiceError('SLUICE-COST-PRICES', `there is no price table of the region ${region}`, {
    hint: `Only ${usEast1.region} is built in. Write one with --print-prices, change it, and give it as --prices FILE.`,
    facts: { region },
  });
}

function readPriceFile(path: string): PriceTable {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SluiceError('SLUICE-COST-PRICES', `the price table ${path} cannot be read: ${errorMessage(error)}`, {
      hint: 'Check the path.',
      facts: { path },
      cause: error,
    });
  }
  return readPrices(text, path);
}

async function askServer(io: CliIo, jobName: string | undefined, options: CostOptions): Promise<JobCosts> {
  const client = await findServer(io, options);
  const named = jobName ?? (await onlyJob(client));
  const answer = await client.get<CostAnswer>(`/jobs/${await findJob(client, named)}/cost`);
  const { deployed } = answer;
  return {
    job: answer.jid,
    name: answer.name,
    isFromBeginning: answer['from-beginning'],
    deployed: {
      fifoQueues: deployed['fifo-queues'],
      standardQueues: deployed['standard-queues'],
      alarmMetrics: deployed['alarm-metrics'],
      dashboards: deployed.dashboards,
      stateBytes: options.stateGb === undefined ? deployed['state-size'] : options.stateGb * 1024 ** 3,
    },
    operations: (answer.operations ?? []).map(({ bill }) => bill),
    checkpoints: answer.checkpoints.map(({ id, status, records, bill, ...times }) => {
      return { id, isCompleted: status === 'COMPLETED', endedAtMs: times['end-time'], records, bill };
    }),
  };
}

async function onlyJob(client: Awaited<ReturnType<typeof findServer>>): Promise<string> {
  const { jobs } = await client.get<{ readonly jobs: readonly ListedJob[] }>('/jobs/overview');
  if (jobs.length === 1) return jobs[0]!.jid;
  throw new SluiceError('SLUICE-USAGE', `the server has ${jobs.length} jobs: say of which the cost is wanted`, {
    hint: 'Name it: `sluice cost JOB`; `sluice list` shows them.',
    facts: { jobs: jobs.map(({ jid }) => jid) },
  });
}

function readFiles(path: string): JobCosts {
  return { ...readBilledFiles(path), isFromBeginning: false, deployed: null, operations: [] };
}

function jobAndFiles(jobName: string): SluiceError {
  return new SluiceError('SLUICE-USAGE', `both a job (${jobName}) and --from are given`, {
    hint: 'Files say of which job they are: leave the job out, or --from.',
    facts: { jobName },
  });
}

function noBills({ job, name, checkpoints }: JobCosts): SluiceError {
  return new SluiceError('SLUICE-COST-UNKNOWN', `none of the ${checkpoints.length} checkpoints known of job ${name} carries a bill`, {
    hint: 'Only jobs on AWS are billed, from their first checkpoint on. What runs on this machine costs nothing.',
    facts: { job, checkpoints: checkpoints.length },
  });
}

function jsonOf({ job, name, prices, report, idle, operations }: ToldCost): unknown {
  return { job, name, region: prices.region, pricesAsOf: prices.asOf, ...report, operations, idleMonth: idle };
}
