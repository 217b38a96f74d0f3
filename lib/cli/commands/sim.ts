/** `sluice sim JOB`: does the job keep its promises under crashes, restores and rescaling? Its results decide, not its code. */
import { simulate } from '../../testing/sim/simulate.ts';
import type { SimulatedMode } from '../../testing/sim/circumstances.ts';
import type { SimulationReport, SimulationTotals, Violation } from '../../testing/sim/simulation-report.ts';
import type { SimulationWork } from '../../testing/sim/simulate-options.ts';
import type { CliIo, StopSignal } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { loadJob } from '../load-job.ts';
import { createStatusLine } from '../status-line.ts';
import { watchStop } from '../stop-signals.ts';

export interface SimOptions {
  readonly set: Readonly<Record<string, string>>;
  readonly seeds: number;
  readonly firstSeed: number;
  readonly records: number;
  readonly mode: readonly SimulatedMode[];
  readonly keepGoing: boolean;
  readonly shrink: boolean;
  readonly json: boolean;
}

export async function sim(io: CliIo, path: string, options: SimOptions): Promise<number> {
  const { job } = await loadJob(path, io.folder);
  const status = createStatusLine(io);
  const aborting = new AbortController();
  let stoppedBy: StopSignal | null = null;
  const stop = watchStop(io, (signal) => {
    stoppedBy = signal;
    aborting.abort();
    if (!options.json) status.print('stopping: what has been found so far follows; once more ends at once\n');
  });
  const startedAtMs = io.clock.monotonic();
  const isQuiet = options.json;
  try {
    const report = await simulate(job, {
      seeds: options.seeds,
      firstSeed: options.firstSeed,
      parameters: options.set,
      recordsPerSplit: options.records,
      modes: options.mode,
      bail: !options.keepGoing,
      shrink: options.shrink,
      signal: aborting.signal,
      onRun: ({ seed }, totals) => {
        if (!isQuiet) status.show(`seed ${seed} · ${progressOf(totals, options.seeds)}`);
      },
      onWork: (work) => {
        if (!isQuiet) status.show(tellWork(work));
      },
    });
    status.end();
    const tookMs = io.clock.monotonic() - startedAtMs;
    io.out(options.json ? `${JSON.stringify(report)}\n` : textOf(report, path, options, tookMs));
    if (report.violations.length > 0) return exitCodes.failed;
    return stoppedBy === null ? exitCodes.done : exitCodes[stoppedBy as StopSignal];
  } finally {
    stop.end();
  }
}

function tellWork({ kind, seed, runs }: SimulationWork): string {
  if (kind === 'baseline') return `run ${runs + 1} without faults, to compare with`;
  return `seed ${seed} broke a promise; run ${runs + 1} to find the fewest faults that do`;
}

function progressOf({ runs, faults, restores }: SimulationTotals, seeds: number): string {
  return `${count(runs)} of ${count(seeds)} runs, ${count(faults)} faults, ${count(restores)} restores`;
}

function textOf(report: SimulationReport, path: string, options: SimOptions, tookMs: number): string {
  const { violations, asked, compared, ...totals } = report;
  const told = violations.map((violation) => tellViolation(violation, path, options)).join('\n');
  return `${told}${tableOf({ totals, asked, compared, violations: violations.length, tookMs })}`;
}

interface Table {
  readonly totals: SimulationTotals;
  readonly asked: number;
  readonly compared: number;
  readonly violations: number;
  readonly tookMs: number;
}

function tableOf({ totals, asked, compared, violations, tookMs }: Table): string {
  const rows: readonly (readonly [name: string, value: string])[] = [
    ['runs', `${count(totals.runs)}${totals.runs < asked ? ` of ${count(asked)}` : ''} in ${(tookMs / 1_000).toFixed(1)} s`],
    ['compared', `${count(compared)} records in each`],
    ['simulated', `${(totals.virtualMs / 3_600_000).toFixed(1)} h, ${count(totals.calls)} calls of queues and stores`],
    ['faults', count(totals.faults)],
    ['restores', `${count(totals.restores)}, savepoints ${count(totals.savepoints)}, checkpoints ${count(totals.checkpoints)}`],
    ['violations', count(violations)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}\n`).join('');
}

/** As a shell takes it back. */
function quoted(text: string): string {
  return /^[\w./:=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function tellViolation({ seed, problems, faults, timeline }: Violation, path: string, { set, records, mode }: SimOptions): string {
  const parameters = Object.entries(set).map(([name, value]) => ` --set ${quoted(`${name}=${value}`)}`);
  const again = `sluice sim ${quoted(path)}${parameters.join('')} --records ${records} --mode ${mode.join(',')} --first-seed ${seed} --seeds 1`;
  return [
    `seed ${seed} broke a promise:`,
    ...problems.map((problem) => `  ${problem}`),
    `${faults.length} faults are enough:`,
    ...timeline.map((line) => `  ${line}`),
    `Again: ${again}`,
    '',
  ].join('\n');
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
