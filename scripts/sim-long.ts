/**
 * `npm run sim:long`: the simulator over all topologies for an hour, one process per core, each with seeds of its own. The rarest holes of this kind of protocol
 * take thousands of runs to show.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { minutesOf, scriptOptions, wholeNumber } from './script-options.ts';

const help = `npm run sim:long -- [--minutes 60] [--processes ${availableParallelism()}] [--first-seed 1000000] [--json]

Ctrl-C ends it with what there is.
`;

const { values } = scriptOptions(help, {
  minutes: { type: 'string', default: '60' },
  processes: { type: 'string', default: String(availableParallelism()) },
  'first-seed': { type: 'string', default: '1000000' },
  json: { type: 'boolean', default: false },
});
const minutes = minutesOf(values.minutes);
const processes = wholeNumber('processes', values.processes);
const seedOfAll = wholeNumber('first-seed', values['first-seed'], 0);

/** Seeds of one process, more than it can ever get through. */
const seedsApart = 10_000_000;
/** Of each topology before the next: small, so that the end comes in time. */
const seedsAtOnce = 10;
const tellEveryMs = 60_000;

interface Report {
  readonly runs: number;
  readonly faults: number;
  readonly restores: number;
  readonly savepoints: number;
  readonly checkpoints: number;
  readonly virtualHours: number;
  readonly violations: number;
  readonly list: readonly unknown[];
}

/** What one process has got through, and what it says at its end. */
function run(number: number, onRuns: (runs: number) => void): Promise<Report> {
  const firstSeed = seedOfAll + number * seedsApart;
  const options = [
    '--minutes',
    String(minutes),
    '--first-seed',
    String(firstSeed),
    '--seeds',
    String(seedsAtOnce),
    '--keep-going',
    '--no-coverage',
    '--json',
  ];
  const child = spawn(process.execPath, [join(import.meta.dirname, 'sim.ts'), ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  createInterface({ input: child.stderr }).on('line', (line) => {
    const runs = / (\d+) runs in all$/.exec(line)?.[1];
    if (runs === undefined) console.error(line);
    else onRuns(Number(runs));
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (out.trim() === '') reject(new Error(`process ${number} ended with exit code ${String(code)} and said nothing`));
      else resolve(JSON.parse(out) as Report);
    });
  });
}

async function main(): Promise<void> {
  const runs = new Array<number>(processes).fill(0);
  const startedAt = performance.now();
  // The processes hear Ctrl-C themselves, and say what they have.
  process.on('SIGINT', () => undefined);
  const telling = setInterval(() => {
    const passed = Math.round((performance.now() - startedAt) / 60_000);
    console.error(`${passed} of ${minutes} minutes, ${runs.reduce((sum, own) => sum + own, 0)} runs`);
  }, tellEveryMs);
  const reports = await Promise.all(runs.map((_, number) => run(number, (own) => (runs[number] = own))));
  clearInterval(telling);
  const sum = (name: keyof Omit<Report, 'list'>): number => reports.reduce((total, report) => total + report[name], 0);
  const totals = {
    runs: sum('runs'),
    faults: sum('faults'),
    restores: sum('restores'),
    savepoints: sum('savepoints'),
    checkpoints: sum('checkpoints'),
    virtualHours: Math.round(sum('virtualHours')),
    violations: sum('violations'),
    minutes: Math.round((performance.now() - startedAt) / 60_000),
    processes,
    node: process.versions.node,
  };
  console.log(JSON.stringify(values.json ? { ...totals, list: reports.flatMap(({ list }) => list) } : totals));
  process.exitCode = totals.violations === 0 ? 0 : 1;
}

await main();
