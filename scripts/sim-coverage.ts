/**
 * `npm run sim:coverage`: which faults have hit which calls of the protocol's code, and what is missing. Ctrl-C ends it with what there is.
 */
import { cover } from '../test/sim/crash-coverage/cover.ts';
import { CrashCoverage } from '../test/sim/crash-coverage/crash-coverage.ts';
import { exhaust, type Exhausted } from '../test/sim/crash-coverage/exhaust.ts';
import { impossible } from '../test/sim/crash-coverage/fault-kinds.ts';
import { codeToCover } from '../test/sim/crash-coverage/port-calls.ts';
import { exhausted } from '../test/sim/crash-coverage/scenarios.ts';
import { refuseOptions, scriptOptions, wholeNumber } from './script-options.ts';

const help = `npm run sim:coverage -- [--runs 600] [--first-seed 1] [--six] [--exhaust [--topology name] [--part 1/1]] [--list] [--json]

Hits every call of a port in lib/runtime, lib/coordinator, lib/savepoint, lib/checkpoint and lib/state with every kind of fault, at least once.
--runs        give up after so many
--six         of kinds that are much the same one is enough (standing still before or after the call)
--exhaust     instead: every call of a run of a small job × every kind of fault, each in a run of its own
--topology    only that of: ${exhausted.map(({ name }) => name).join(', ')}
--part k/n    only each n-th of them, from the k-th on
--list        only print what there is to cover
`;

const { values } = scriptOptions(help, {
  runs: { type: 'string', default: '600' },
  'first-seed': { type: 'string', default: '1' },
  six: { type: 'boolean', default: false },
  exhaust: { type: 'boolean', default: false },
  topology: { type: 'string' },
  part: { type: 'string', default: '1/1' },
  list: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});

const runsMax = wholeNumber('runs', values.runs);
const seedOfFirst = wholeNumber('first-seed', values['first-seed'], 0);

const startedAt = performance.now();
const ending = new AbortController();
process.once('SIGINT', () => ending.abort());

const seconds = (): number => Math.round((performance.now() - startedAt) / 1_000);
const percent = (fraction: number): string => `${(Math.floor(fraction * 10_000) / 100).toFixed(2)} %`;
const tell = (line: string): void => {
  if (!values.json) console.log(line);
};

if (values.list) list();
else if (values.exhaust) await everyPair();
else await atLeastOnce();

function list(): void {
  const { calls, otherAwaits } = codeToCover();
  for (const { name, place } of calls) console.log(`${name}  ${place}`);
  for (const other of otherAwaits) console.log(`neither a port's nor ours: ${other}`);
}

async function atLeastOnce(): Promise<void> {
  const coverage = new CrashCoverage(codeToCover().calls, values.six ? 'six kinds' : 'every kind');
  const { runs, faults, violations } = await cover(coverage, {
    runsMax,
    firstSeed: seedOfFirst,
    signal: ending.signal,
    onRun: ({ runs: done }) => {
      if (!values.json && done % 20 === 0) console.error(`${done} runs, ${percent(coverage.report().fraction)}`);
    },
  });
  const { calls, pairs, hit, fraction, missing } = coverage.report();
  for (const violation of violations) tellViolation(violation);
  for (const pair of missing) tell(`missing: ${pair}`);
  tell(
    `${calls} calls, ${hit} of ${pairs} pairs: ${percent(fraction)} in ${runs} runs, ${faults} faults, ${violations.length} violations, ${seconds()} s`,
  );
  const report = { runs, faults, violations: violations.length, crashCoverage: fraction, calls, pairs, hit, missing, impossible };
  if (values.json) console.log(JSON.stringify({ ...report, list: violations, seconds: seconds() }));
  process.exitCode = missing.length === 0 && violations.length === 0 ? 0 : 1;
}

async function everyPair(): Promise<void> {
  const [part = 1, of = 1] = values.part.split('/').map(Number);
  const wanted = exhausted.filter(({ name }) => values.topology === undefined || name === values.topology);
  if (wanted.length === 0)
    return refuseOptions(`there is no topology ${String(values.topology)}: ${exhausted.map(({ name }) => name).join(', ')}`);
  const coverage = new CrashCoverage(codeToCover().calls);
  const all: (Exhausted & { readonly topology: string })[] = [];
  for (const scenario of wanted) {
    const { name } = scenario;
    const onRun = (runs: number, pairs: number): void => {
      if (!values.json && runs % 200 === 0) console.error(`${name}: ${runs} of ${pairs}, ${seconds()} s`);
    };
    const result = await exhaust(coverage, scenario, { part: part - 1, of, signal: ending.signal, onRun });
    all.push({ topology: name, ...result });
    for (const violation of result.violations) tellViolation(violation);
    for (const pair of result.missing) tell(`missing: ${pair}`);
    tell(
      `${name}: ${result.hit} of ${result.pairs} pairs, ${percent(result.hit / result.pairs)}; ${result.alone} stood still and nobody had to take over; ` +
        `${result.violations.length} violations, ${seconds()} s`,
    );
  }
  const sum = (of: (one: Exhausted) => number): number => all.reduce((total, one) => total + of(one), 0);
  const [pairs, hit] = [sum((one) => one.pairs), sum((one) => one.hit)];
  const violations = all.flatMap((one) => one.violations);
  const report = { runs: sum((one) => one.runs), violations: violations.length, crashCoverage: hit / pairs, pairs, hit };
  if (values.json) console.log(JSON.stringify({ ...report, topologies: all, list: violations, seconds: seconds() }));
  process.exitCode = hit === pairs && violations.length === 0 ? 0 : 1;
}

function tellViolation({ scenario, seed, problems, timeline, faults }: Exhausted['violations'][number]): void {
  console.error(`${scenario}, seed ${seed}: ${problems.join('; ')}\n${timeline.join('\n')}\nfaults: ${JSON.stringify(faults)}\n`);
}
