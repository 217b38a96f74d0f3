/**
 * `npm run bench`: what a record costs, beside a bare loop that does the same work in the same process on the same input.
 *
 * Figures are medians; a ratio compares CPU time per record (user + system of the process) with the bare loop's of the same round, because the machine
 * is shared and its clock is not steady. What is not measured: a network, several processes, S3, DynamoDB and SQS themselves; of checkpoints, the time from
 * when one is due to its number.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileStores } from '../lib/adapters/fs/file-stores.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { systemRandom } from '../lib/adapters/system/random.ts';
import { systemTimers } from '../lib/adapters/system/timers.ts';
import { flightRecords, flightsTextFile, loadChunks } from './flights-text.ts';
import { measureCheckpoints, measureRestore, type CheckpointFigures } from './keyed-state.ts';
import { measureLingering } from './lingering.ts';
import { measureMap } from './map-entries.ts';
import { measureMemory } from './measure-memory.ts';
import { measureQueued, measureSlow } from './overtaking.ts';
import { runEngine, type EngineRun } from './run-engine.ts';
import { w1, w2, w3, type Workload } from './workloads.ts';
import { refuseOptions, scriptOptions, wholeNumber } from '../scripts/script-options.ts';

/** In the order of the table. */
const names = [
  'W1',
  'requests',
  'W2',
  'W3',
  'W1-fs',
  'checkpoint',
  'checkpoint-fs',
  'restore',
  'memory',
  'linger',
  'map',
  'map-fs',
  'unaligned',
  'slow-sink',
] as const;
type Name = (typeof names)[number];

interface Row {
  readonly name: string;
  readonly recordsPerS?: number;
  readonly cpuUsPerRecord?: number;
  readonly bareUsPerRecord?: number;
  readonly ratio?: number;
  readonly [more: string]: unknown;
}

const help = `npm run bench -- [--json] [--rounds 5] [--records 3000000] [--only ${names.join(',')}]`;
const { values } = scriptOptions(help, {
  json: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '5' },
  records: { type: 'string', default: String(flightRecords) },
  only: { type: 'string' },
});
const rounds = wholeNumber('rounds', values.rounds);
const records = wholeNumber('records', values.records);
const rows: Row[] = [];

await main();

/** One process for each figure, as a job has one: what the compiler learned from another would blur it. */
async function main(): Promise<void> {
  const wanted = names.filter((name) => values.only === undefined || values.only.split(',').includes(name));
  if (wanted.length === 0) refuseOptions(`there is no measurement ${values.only ?? ''}`);
  await flightsTextFile();
  if (wanted.length === 1) await measureOne(wanted[0]!);
  else for (const name of wanted) measureApart(name);
  if (values.json) console.log(JSON.stringify(rows));
  else console.log(`\n${machine()}`);
}

function measureApart(name: Name): void {
  const options = ['--json', '--only', name, '--rounds', values.rounds, '--records', values.records];
  const { status, stdout } = spawnSync(process.execPath, [import.meta.filename, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${name} ended with exit code ${String(status)}`);
  for (const row of JSON.parse(stdout.toString('utf8')) as Row[]) add(row);
}

async function measureOne(name: Name): Promise<void> {
  switch (name) {
    case 'W1':
      return addWorkload(w1, await measure(w1));
    case 'W2':
      return addWorkload(w2, await measure(w2));
    case 'W3':
      return addWorkload(w3, await measure(w3));
    case 'requests':
      return addRequests((await measure(w1))[0]!.engine);
    case 'W1-fs':
      return measureFiles(median((await measure(w1)).map(({ engine }) => engine.cpuUs / records)));
    case 'checkpoint':
      return addCheckpoints(name, false);
    case 'checkpoint-fs':
      return addCheckpoints(name, true);
    case 'restore':
      return addRestore();
    case 'linger':
      return addLingering();
    case 'memory':
      return add({ name, ...(await measureMemory()) });
    case 'map':
      return add({ name, ...(await measureMap()) });
    case 'unaligned':
      return add({ name, ...(await measureQueued(Math.min(records, 1_000_000))) });
    case 'slow-sink':
      return add({ name, ...(await measureSlow()) });
    case 'map-fs':
      return add({ name, ...(await inFolder(measureMap)) });
  }
}

interface Round {
  readonly bareCpuUs: number;
  readonly engine: EngineRun;
}

async function measure(workload: Workload): Promise<Round[]> {
  const chunks = loadChunks(await flightsTextFile(), records);
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
  return runs;
}

function addWorkload(workload: Workload, runs: readonly Round[]): void {
  const cpuUsPerRecord = median(runs.map(({ engine }) => engine.cpuUs / records));
  add({
    name: workload.name,
    recordsPerS: Math.round(median(runs.map(({ engine }) => records / (engine.wallMs / 1000)))),
    cpuUsPerRecord: round3(cpuUsPerRecord),
    bareUsPerRecord: round3(median(runs.map(({ bareCpuUs }) => bareCpuUs / records))),
    ratio: round3(median(runs.map(({ bareCpuUs, engine }) => bareCpuUs / engine.cpuUs))),
    checkpoints: runs[0]!.engine.checkpoints,
  });
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

async function measureFiles(memoryCpuUs: number): Promise<void> {
  const chunks = loadChunks(await flightsTextFile(), records);
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

/** Of 10,000 keys in all and of 1,000,000; medians of three runs of a hundred checkpoints each. */
async function addCheckpoints(name: string, withFiles: boolean): Promise<void> {
  const measure = (keys: number): Promise<CheckpointFigures> =>
    withFiles ? inFolder((directory) => measureCheckpoints(keys, directory)) : measureCheckpoints(keys);
  const some: CheckpointFigures[] = [];
  const many: CheckpointFigures[] = [];
  for (let run = 0; run < 3; run++) {
    some.push(await measure(10_000));
    many.push(await measure(1_000_000));
  }
  const [p50, p99, p50OfFew, p99OfFew] = [many, some].flatMap((of) => [median(of.map((one) => one.p50)), median(of.map((one) => one.p99))]);
  add({ name, p50Ms: p50, p99Ms: p99, p50MsOfFewKeys: p50OfFew, p99MsOfFewKeys: p99OfFew, ratio: round3(p99! / p99OfFew!) });
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

/** A tenth of the records: they are many small commits. */
async function addLingering(): Promise<void> {
  const count = Math.round(records / 10);
  const chunks = loadChunks(await flightsTextFile(), count);
  for (const bufferTimeoutMs of [0, 20, 100, 500])
    add({ name: 'linger', bufferTimeoutMs, ...(await measureLingering(chunks, count, bufferTimeoutMs)) });
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
