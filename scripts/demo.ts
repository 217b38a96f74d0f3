/**
 * The flights job over 3,000,000 real records, through everything that can happen to it: killed with SIGKILL half-way, resumed, stopped with a savepoint
 * over HTTP, restored at another parallelism, finished, and compared line for line with a plain computation.
 *
 * It uses the public command line and the HTTP API only. Kill and savepoint are placed by record counts read from the API.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { checkpointTimes, type ListedCheckpoint } from './demo/checkpoint-times.ts';
import { allRecords, demoLimit, fewestRecords } from './demo/demo-limit.ts';
import { EngineProcess, sleep } from './demo/engine-process.ts';
import { compare, writeExpected, type Comparison } from './demo/expected-lines.ts';
import { scriptOptions } from './script-options.ts';

const root = join(import.meta.dirname, '..');
const help = `npm start -- [--limit N] [--folder DIR]

Runs the flights example with a kill, a savepoint and a restore, and proves its output.
N is from ${fewestRecords} to ${allRecords} flights, which are all. DIR (default: .sluice/demo) is emptied first.
`;
const { values } = scriptOptions(help, {
  limit: { type: 'string' },
  folder: { type: 'string', default: join(root, '.sluice', 'demo') },
});

const folder = values.folder;
const jobFile = join(root, 'examples', 'flights', 'job.ts');
const input = join(root, 'node_modules', 'vega-datasets', 'data', 'flights-3m.parquet');
const output = join(folder, 'output');
const records = recordsWanted();
const limit = values.limit === undefined ? [] : ['--limit', String(records)];
const set = { input, output, ...(values.limit === undefined ? {} : { limit: String(records) }) };
const engines: EngineProcess[] = [];
const rows: [string, string][] = [];

process.on('SIGINT', () => {
  for (const engine of engines) engine.kill();
  process.exit(130);
});

function recordsWanted(): number {
  const wanted = demoLimit(values.limit);
  if (typeof wanted === 'number') return wanted;
  console.error(wanted);
  process.exit(2);
}

async function main(): Promise<number> {
  const startedAt = performance.now();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const expectedFile = join(folder, 'expected.ndjson');
  const expected = writeExpected(input, expectedFile, limit);

  say(`1. run the job at parallelism 2 over ${records.toLocaleString('en-US')} flights`);
  const first = await killHalfWay();
  say('3. start it again: it resumes by itself');
  const savepoint = await resumeAndStop(first);
  say('5. restore it from the savepoint at parallelism 3, in an empty data directory');
  const restored = await restoreAndFinish(savepoint);

  say('6. compare with a plain computation over the same file');
  await expected;
  const comparison = await compare(expectedFile, output, limit);
  rows.push(['records/s, all lives together', rate(records, restored.workMs)]);
  rows.push([
    'lines written',
    `${comparison.daily.actual} daily, ${comparison.seasons.actual} seasons, in ${comparison.daily.files + comparison.seasons.files} files`,
  ]);
  rows.push(['lost', String(comparison.lost)], ['duplicated', String(comparison.duplicated)]);
  rows.push(['whole demonstration', seconds(performance.now() - startedAt)]);
  return report(comparison);
}

let workMs = 0;

/** Runs until half of the records are in, and kills the process without a warning. */
async function killHalfWay(): Promise<number> {
  const engine = start(join(folder, 'data'), 2);
  const [beganAt, since] = [performance.now(), Date.now()];
  const { records: at } = await engine.until('flights', Math.floor(records / 2));
  await noteCheckpoints(engine, 'before the kill', since);
  engine.kill();
  workMs += performance.now() - beganAt;
  await engine.exited;
  say(`2. killed with SIGKILL after ${at.toLocaleString('en-US')} records`);
  return at;
}

async function resumeAndStop(killedAt: number): Promise<string> {
  const [beganAt, since] = [performance.now(), Date.now()];
  const engine = start(join(folder, 'data'), 2);
  await engine.until('flights', Math.min(killedAt + 1, records - 1));
  rows.push(['recovery, start of the process to new records', seconds(performance.now() - beganAt)]);
  const { id } = await engine.until('flights', Math.floor(records * 0.7));
  await noteCheckpoints(engine, 'after it', since);
  say('4. POST /jobs/:id/stop: a savepoint while it runs, and the job stops');
  const triggeredAt = performance.now();
  const { 'request-id': trigger } = await engine.post<{ 'request-id': string }>(`/jobs/${id}/stop`, {
    targetDirectory: join(folder, 'savepoints'),
    drain: false,
  });
  const location = await savepointLocation(engine, id, trigger);
  rows.push(['savepoint, trigger to complete', seconds(performance.now() - triggeredAt)]);
  rows.push(['savepoint size', `${(folderBytes(location) / 1e6).toFixed(2)} MB`]);
  const code = await engine.exited;
  workMs += performance.now() - beganAt;
  if (code !== 0) throw new Error(`the stopped job's process ended with exit code ${code}`);
  say(`   savepoint ${relative(process.cwd(), location)}`);
  return location;
}

async function savepointLocation(engine: EngineProcess, id: string, trigger: string): Promise<string> {
  for (;;) {
    const answer = await engine.get<{
      status: { id: string };
      operation: { location?: string; 'failure-cause'?: { message?: string; 'stack-trace': string } } | null;
    }>(`/jobs/${id}/savepoints/${trigger}`);
    if (answer?.status.id === 'COMPLETED') {
      const { location, 'failure-cause': failure } = answer.operation ?? {};
      if (location === undefined) throw new Error(`the savepoint failed: ${failure?.message ?? failure?.['stack-trace']}`);
      return location.replace(/^file:/, '');
    }
    if (!engine.isRunning) throw new Error('the engine ended before the savepoint was complete');
    await sleep(10);
  }
}

async function restoreAndFinish(savepoint: string): Promise<{ readonly workMs: number }> {
  const beganAt = performance.now();
  const engine = start(join(folder, 'restored-data'), 3, savepoint);
  await engine.until('flights', Math.floor(records * 0.7) + 1).catch(() => undefined);
  rows.push(['restore at parallelism 3, start of the process to new records', seconds(performance.now() - beganAt)]);
  const code = await engine.exited;
  workMs += performance.now() - beganAt;
  if (code !== 0) throw new Error(`the restored job ended with exit code ${code}`);
  return { workMs };
}

function start(dataDir: string, parallelism: number, fromSavepoint?: string): EngineProcess {
  const engine = new EngineProcess({ jobFile, dataDir, parallelism, set, ...(fromSavepoint === undefined ? {} : { fromSavepoint }) });
  engines.push(engine);
  return engine;
}

async function noteCheckpoints(engine: EngineProcess, when: string, sinceMs: number): Promise<void> {
  const overview = await engine.get<{ jobs: { jid: string }[] }>('/jobs/overview');
  const checkpoints = await engine.get<{ history: ListedCheckpoint[] }>(`/jobs/${overview?.jobs[0]?.jid}/checkpoints`);
  if (checkpoints !== undefined) rows.push([`checkpoints ${when}`, checkpointTimes(checkpoints.history, sinceMs)]);
}

function folderBytes(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function report(comparison: Comparison): number {
  const width = Math.max(...rows.map(([name]) => name.length));
  console.log(`\n${rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')}\n`);
  if (comparison.equal) {
    console.log('Every line is there, exactly once.');
    return 0;
  }
  console.log('The output differs. First differences:');
  for (const { kind, line, count } of [...comparison.daily.firstDifferences, ...comparison.seasons.firstDifferences].slice(0, 10)) {
    console.log(`  ${kind} (${count}x) ${line}`);
  }
  return 1;
}

function say(text: string): void {
  console.log(`\n== ${text}`);
}

function rate(count: number, tookMs: number): string {
  return Math.round((count / tookMs) * 1000).toLocaleString('en-US');
}

function seconds(tookMs: number): string {
  return `${(tookMs / 1000).toFixed(2)} s`;
}

try {
  process.exitCode = await main();
} catch (error) {
  for (const engine of engines) engine.kill();
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
