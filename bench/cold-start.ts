/**
 * `npm run bench:cold-start`: what a function of the deployed flights job does before its first message: its modules are loaded, the job is compiled, and the
 * clients are made. Each time in a process of its own, as Node is begun by Lambda.
 *
 * Not measured: what AWS does before Node runs (fetching the bundle, starting the machine), its processors, and how little of one a small function has.
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleJob } from '../infra/bundle-job.ts';
import { loadedAtInit } from '../test/infra/loaded-at-init.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } } });
const handlers = ['operator', 'coordinator', 'api', 'relay'];

const { directory } = bundleJob(fileURLToPath(new URL('../examples/flights/job.ts', import.meta.url)));
const environment = {
  SLUICE_JOB_ID: 'a'.repeat(32),
  SLUICE_CODE: 'code',
  SLUICE_OPTIONS: JSON.stringify({ parameters: { input: 's3://flights/in/', output: 's3://flights/out' }, parallelism: 4 }),
  SLUICE_TABLE: 'table',
  SLUICE_BUCKET: 'bucket',
  SLUICE_ACCOUNT: '111122223333',
  SLUICE_QUEUES: 'https://queues/',
  SLUICE_MACHINES: 'arn:machines:',
  SLUICE_UID: 'daily',
  SLUICE_DELAY_QUEUE_ARN: 'arn:delay',
  SLUICE_SCHEDULES: 'schedules',
  SLUICE_SCHEDULER_ROLE: 'arn:role',
  NODE_OPTIONS: '--enable-source-maps',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
};

/** Milliseconds; `process.uptime` counts from the start of Node. */
function start(handler: string): { readonly node: number; readonly init: number } {
  const program = `const began = performance.now();
    await import(${JSON.stringify(pathToFileURL(join(directory, `${handler}.mjs`)).href)});
    process.stdout.write(JSON.stringify({ node: began, init: performance.now() - began }));
    process.exit(0);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...environment },
  });
  if (status !== 0) throw new Error(`${handler} cannot be loaded:\n${stderr}`);
  return JSON.parse(stdout) as { readonly node: number; readonly init: number };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

const measured = handlers.map((handler) => {
  const starts = Array.from({ length: Number(values.runs) }, () => start(handler));
  return {
    handler,
    loadedKb: Math.round(
      loadedAtInit(directory, `${handler}.mjs`).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0) / 1_000,
    ),
    nodeMs: Math.round(median(starts.map(({ node }) => node))),
    initMs: Math.round(median(starts.map(({ init }) => init))),
    longestInitMs: Math.round(Math.max(...starts.map(({ init }) => init))),
  };
});
const machine = `Node ${process.versions.node}, ${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown'}`;
if (values.json) console.log(JSON.stringify({ machine, runs: Number(values.runs), handlers: measured }));
else {
  console.log(`${machine}; medians of ${values.runs} starts\n`);
  console.log('handler        loads   Node   init   longest init');
  for (const { handler, loadedKb, nodeMs, initMs, longestInitMs } of measured)
    console.log(
      `${handler.padEnd(12)} ${`${loadedKb} kB`.padStart(7)} ${`${nodeMs} ms`.padStart(6)} ${`${initMs} ms`.padStart(6)} ${`${longestInitMs} ms`.padStart(10)}`,
    );
}
