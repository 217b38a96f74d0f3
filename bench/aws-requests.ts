/**
 * What W1 asks of AWS, counted. The real runtime, coordinator and AWS adapters, with the settings of AWS, on services that answer in this process: requests
 * and billed units are exact, times are not AWS's.
 */
import { createLocalConnectors } from '../lib/adapters/connectors/local-connectors.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { systemRandom } from '../lib/adapters/system/random.ts';
import { systemTimers } from '../lib/adapters/system/timers.ts';
import type { JobId } from '../lib/base/ids.ts';
import { defaultCheckpointSettings } from '../lib/checkpoint/checkpoint-settings.ts';
import { startJob } from '../lib/coordinator/start-job.ts';
import { LocalEngine, newJobId } from '../lib/local/local-engine.ts';
import { addBills, type Bill } from '../lib/model/bill.ts';
import { defaultRuntimeSettings } from '../lib/runtime/runtime-settings.ts';
import { createAwsWorld, type AwsWorld } from './aws-world.ts';
import { w1 } from './workloads.ts';

export interface AwsRequests {
  readonly records: number;
  readonly checkpoints: number;
  readonly bill: Bill;
  /** Of that, what was handed to the job, and what its checkpoints carry of it. */
  readonly taken: Bill;
  readonly carried: Bill;
}

export interface AwsRequestsOptions {
  readonly chunks: readonly string[];
  readonly records: number;
  readonly intervalMs?: number;
  /** In one commit of the source. */
  readonly recordsPerRound?: number;
}

/** As functions/coordinator-runtime.ts has them. */
const onAws = { sweepMs: 3_600_000, collectMs: 600_000 };
/** A checkpoint's state machine: wait, trigger, complete, and its beginning; started once, and told once. */
const transitionsPerCheckpoint = 4;
const stepsPerCheckpoint = 2;
const memoryMb = 1_769;
const silent = { log: () => undefined };
const noMetrics = { count: () => undefined, gauge: () => undefined };

export async function measureAwsRequests(options: AwsRequestsOptions): Promise<AwsRequests> {
  const { chunks, records, intervalMs = 1_000, recordsPerRound = defaultRuntimeSettings.sourceRecordsPerCommit } = options;
  const { stores, meter, receives } = createAwsWorld();
  const system = { clock: systemClock, timers: systemTimers, random: systemRandom };
  const connectors = createLocalConnectors({ texts: new Map([['flights', { chunk: (index) => chunks[index] }]]) });
  const savepoints = { at: () => unused(), inside: () => unused() };
  let taken: Bill = {};
  const bill = (): Bill => {
    const counted = meter.takeBill();
    taken = addBills(taken, counted) ?? {};
    return counted;
  };
  const engine = new LocalEngine({ ...system, stores, connectors, savepoints, logger: silent, metrics: noMetrics, bill });
  Object.assign(engine.coordinator, onAws);
  await engine.resumeFlows();
  const job = newJobId(systemRandom);
  const { plan, planHash, registry } = w1.compiled();
  const cpuBefore = process.cpuUsage();
  await startJob(engine.coordinator, { job, name: plan.name, plan, planHash, settings: { ...defaultCheckpointSettings, intervalMs } });
  engine.run({ job, plan, planHash, registry, settings: { ...defaultRuntimeSettings, sourceRecordsPerCommit: recordsPerRound } });
  const checkpoints = await untilFinished(() => stores.jobs.read(job));
  const cpu = process.cpuUsage(cpuBefore);
  const shard = await stores.shards.read({ job, uid: w1.vertex as never, shard: 0 });
  const total = shard?.operatorStates['totals' as never]?.['accumulator']?.items[0];
  const carried = await carriedBills(stores, job);
  await engine.close();
  const cpuMs = (cpu.user + cpu.system) / 1_000;
  const all = withAws(addBills(taken, meter.takeBill())!, { receives, checkpoints, cpuMs });
  const expected = w1.bare(chunks);
  if (Number(total) !== expected) throw new Error(`the engine's total is ${String(total)}, the loop's ${expected}`);
  return { records, checkpoints, bill: all, taken, carried };
}

async function carriedBills({ history }: AwsWorld['stores'], job: JobId): Promise<Bill> {
  const entries = await history.read(job);
  return addBills(...entries.map((entry) => (entry.kind === 'checkpoint' ? entry.bill : undefined))) ?? {};
}

type JobState = Awaited<ReturnType<ReturnType<typeof createAwsWorld>['stores']['jobs']['read']>>;

/** Looking costs requests too, which nobody makes on AWS: it is seldom done. */
async function untilFinished(read: () => Promise<JobState>): Promise<number> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    const record = await read();
    if (record?.status === 'FINISHED') return record.counts.completed;
    if (record?.status === 'FAILED') throw new Error(`the job failed: ${record.failure}`);
  }
}

const lookEveryMs = 500;

interface Around {
  readonly receives: { readonly full: number; readonly empty: number };
  readonly checkpoints: number;
  readonly cpuMs: number;
}

/** What the event sources and the state machines add; a poll that finds nothing is AWS's own, and in the idle month. */
function withAws(metered: Bill, { receives, checkpoints, cpuMs }: Around): Bill {
  const empty: Bill = { 'sqs.ReceiveMessage': -receives.empty, 'sqs.ReceiveMessage.fifo-64kb': -receives.empty };
  const invocations = receives.full + checkpoints * stepsPerCheckpoint;
  return addBills(metered, empty, {
    'lambda.Invoke': invocations,
    'lambda.Invoke.mb-ms': Math.round(memoryMb * (cpuMs + waitedMs(metered))),
    'states.Transition': checkpoints * transitionsPerCheckpoint,
    'step-functions.StartExecution': checkpoints,
    'step-functions.SendTaskSuccess': checkpoints,
  })!;
}

/** Assumed, not measured: how long a function waits for an answer, if it never waits for two at once. */
const latencyMs: Readonly<Record<string, number>> = { dynamodb: 6, sqs: 10, s3: 30, scheduler: 30 };

function waitedMs(metered: Bill): number {
  return Object.entries(metered).reduce((sum, [name, count]) => {
    const [service, operation, unit] = name.split('.');
    const isOurs = unit === undefined && operation !== 'ReceiveMessage' && operation !== 'DeleteMessageBatch';
    return sum + (isOurs ? count * (latencyMs[service!] ?? 0) : 0);
  }, 0);
}

function unused(): never {
  throw new Error('the bench takes no savepoints');
}
