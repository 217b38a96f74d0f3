/**
 * `npm run bench`: what a record costs, beside a bare loop that does the same work in the same process on the same input.
 *
 * Figures are medians; a ratio compares CPU time per record (user + system of the process) with the bare loop's of the same round, because the machine
 * is shared and its clock is not steady. What is not measured: a network, several processes, S3, DynamoDB and SQS themselves.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createFileStores } from '../lib/adapters/fs/file-stores.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { systemRandom } from '../lib/adapters/system/random.ts';
import { systemTimers } from '../lib/adapters/system/timers.ts';
import { flightRecords, flightsTextFile, loadChunks } from './flights-text.ts';
import { measureCheckpoints, measureRestore, type CheckpointFigures } from './keyed-state.ts';
import { measureMemory } from './measure-memory.ts';
import { runEngine, type EngineRun } from './run-engine.ts';
import { w1, w2, w3, type Workload } from './workloads.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    records: { type: 'string', default: String(flightRecords) },
    only: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

interface Row {
  readonly name: string;
  readonly recordsPerS?: number;
  readonly cpuUsPerRecord?: number;
  readonly bareUsPerRecord?: number;
  readonly ratio?: number;
  readonly [more: string]: unknown;
}

const rounds = Number(values.rounds);
const records = Number(values.records);
const rows: Row[] = [];

if (values.help) {
  console.log(
    'npm run bench -- [--json] [--rounds 5] [--records 3000000] [--only W1,W2,W3,W1-fs,requests,checkpoint,checkpoint-fs,restore,memory]',
  );
} else {
  await main();
}

async function main(): Promise<void> {
  const path = await flightsTextFile();
  const chunks = loadChunks(path, records);
  const wanted = (name: string): boolean => values.only === undefined || values.only.split(',').includes(name);
  let w1Cpu = Number.NaN;
  for (const workload of [w1, w2, w3]) {
    if (!wanted(workload.name) && !(workload === w1 && (wanted('W1-fs') || wanted('requests')))) continue;
    const runs = await measure(workload, chunks);
    if (workload === w1) {
      w1Cpu = median(runs.map(({ engine }) => engine.cpuUs / records));
      if (wanted('requests')) addRequests(runs[0]!.engine);
    }
  }
  if (wanted('W1-fs')) await measureFiles(chunks, w1Cpu);
  if (wanted('checkpoint')) await addCheckpoints('checkpoint', false);
  if (wanted('checkpoint-fs')) await addCheckpoints('checkpoint-fs', true);
  if (wanted('restore')) await addRestore();
  if (wanted('memory')) add({ name: 'memory', ...(await measureMemory()) });
  if (values.json) console.log(JSON.stringify(rows));
  else console.log(`\n${machine()}`);
}

interface Round {
  readonly bareCpuUs: number;
  readonly engine: EngineRun;
}

async function measure(workload: Workload, chunks: readonly string[]): Promise<Round[]> {
  const runs: Round[] = [];
  // The first round warms the compiler and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const before = process.cpuUsage();
    const expected = workload.bare(chunks);
    const { user, system } = process.cpuUsage(before);
    const engine = await runWorkload(workload, chunks);
    if (Number(engine.total) !== expected)
      throw new Error(`${workload.name}: the engine's total is ${String(engine.total)}, the loop's ${expected}`);
    if (round > 0) runs.push({ bareCpuUs: user + system, engine });
  }
  const cpuUsPerRecord = median(runs.map(({ engine }) => engine.cpuUs / records));
  add({
    name: workload.name,
    recordsPerS: Math.round(median(runs.map(({ engine }) => records / (engine.wallMs / 1000)))),
    cpuUsPerRecord: round3(cpuUsPerRecord),
    bareUsPerRecord: round3(median(runs.map(({ bareCpuUs }) => bareCpuUs / records))),
    ratio: round3(median(runs.map(({ bareCpuUs, engine }) => bareCpuUs / engine.cpuUs))),
    checkpoints: runs[0]!.engine.checkpoints,
  });
  return runs;
}

function runWorkload(
  workload: Workload,
  chunks: readonly string[],
  openStores?: Parameters<typeof runEngine>[0]['openStores'],
): Promise<EngineRun> {
  return runEngine({
    compiled: workload.compiled(),
    text: { chunk: (index) => chunks[index] },
    resultOf: { vertex: workload.vertex, operator: 'totals' },
    ...(openStores === undefined ? {} : { openStores }),
  });
}

async function measureFiles(chunks: readonly string[], memoryCpuUs: number): Promise<void> {
  const runs: EngineRun[] = [];
  for (let round = 0; round <= rounds; round++) {
    const run = await inFolder((directory) => {
      const logger = { log: () => undefined };
      return runWorkload(w1, chunks, () =>
        createFileStores({ directory, clock: systemClock, timers: systemTimers, random: systemRandom, logger }),
      );
    });
    if (round > 0) runs.push(run);
  }
  const cpuUsPerRecord = median(runs.map(({ cpuUs }) => cpuUs / records));
  add({
    name: 'W1-fs',
    recordsPerS: Math.round(median(runs.map(({ wallMs }) => records / (wallMs / 1000)))),
    cpuUsPerRecord: round3(cpuUsPerRecord),
    ratio: round3(memoryCpuUs / cpuUsPerRecord),
  });
}

async function addCheckpoints(name: string, withFiles: boolean): Promise<void> {
  const measure = (keys: number): Promise<CheckpointFigures> =>
    withFiles ? inFolder((directory) => measureCheckpoints(keys, directory)) : measureCheckpoints(keys);
  const some = await measure(10_000);
  const many = await measure(1_000_000);
  add({ name, p50Ms: many.p50, p99Ms: many.p99, p50MsOfFewKeys: some.p50, p99MsOfFewKeys: some.p99, ratio: round3(many.p99 / some.p99) });
}

async function addRestore(): Promise<void> {
  const took = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const few = await inFolder((directory) => measureRestore(1_000, directory));
    const many = await inFolder((directory) => measureRestore(1_000_000, directory));
    if (round === 0) continue;
    took.few.push(few);
    took.many.push(many);
  }
  const [ms, msOfFewKeys] = [median(took.many), median(took.few)];
  add({ name: 'restore', ms: round3(ms), msOfFewKeys: round3(msOfFewKeys), ratio: round3(ms / msOfFewKeys) });
}

async function inFolder<T>(measure: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    return await measure(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function addRequests({ requests }: EngineRun): void {
  const perMillion = Object.fromEntries(Object.entries(requests).map(([kind, count]) => [kind, Math.round((count / records) * 1e6)]));
  add({ name: 'requests', total: Object.values(perMillion).reduce((sum, count) => sum + count, 0), perMillion });
}

function add(row: Row): void {
  rows.push(row);
  if (values.json) return;
  const { name, ...figures } = row;
  const text = Object.entries(figures).map(([figure, value]) => `${figure} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  console.log(`${name.padEnd(10)} ${text.join('  ')}`);
}

function machine(): string {
  return `Node ${process.version}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, ${records.toLocaleString('en-US')} records, median of ${rounds}`;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function round3(number: number): number {
  return Math.round(number * 1000) / 1000;
}
