/** `npm run sim -- --mutants`: can the simulator fail? Each rule of the protocol is broken in turn (lib/base/mutated.ts), until a run shows it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MutantName } from '../lib/base/mutated.ts';
import type { HuntedMutant } from '../test/sim/hunt-mutant.ts';
import { huntMutants, mutantNames, type MutantReport } from './hunt-mutants.ts';
import { refuseOptions, scriptOptions, wholeNumber } from './script-options.ts';

const faultsMedianMax = 4;

const help = `npm run sim -- --mutants [NAME …] [--search] [--write] [--seconds 30] [--workers 2] [--shrink-runs 150] [--verbose] [--json]

NAME          only these; all: ${mutantNames.length}, the list is docs/mutants.md
--search      without the runs that are known to show them (test/sim/mutant-seeds.json)
--best        in a search: so many kills of each, of which the one with the fewest faults is kept
--write       writes the runs that have shown them into that file
--seconds     for each at most     --shrink-runs   for making each kill smaller, 0 = none
--json        {"mutants","killed","faultsMedian","seconds","list":[{"mutant","rule","killed","topology","seed","runs","seconds","faults","problem"}]}

Ends with 1 where one survives, where a run fails though every rule is kept, and where the median of the faults left is above ${faultsMedianMax}.
`;

const seedsFile = join(import.meta.dirname, '../test/sim/mutant-seeds.json');

export async function simMutants(args: readonly string[]): Promise<void> {
  const { values, positionals } = scriptOptions(
    help,
    {
      mutants: { type: 'boolean' },
      json: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      search: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      best: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '30' },
      workers: { type: 'string', default: '2' },
      'shrink-runs': { type: 'string', default: '150' },
    },
    { args, allowPositionals: true },
  );
  const unknown = positionals.filter((name) => !mutantNames.includes(name as MutantName));
  if (unknown.length > 0) refuseOptions(`there is no mutant ${unknown.join(', ')}: docs/mutants.md has the list`);
  const report = await huntMutants({
    ...(positionals.length === 0 ? {} : { names: positionals as MutantName[] }),
    search: values.search,
    best: wholeNumber('best', values.best),
    secondsMax: wholeNumber('seconds', values.seconds),
    shrinkRuns: wholeNumber('shrink-runs', values['shrink-runs'], 0),
    workers: wholeNumber('workers', values.workers),
    onMutant: (mutant) => {
      if (!values.json) console.log(lineOf(mutant, values.verbose));
      if (values.write) writeSeed(mutant);
    },
  });
  tell(report, values.json);
}

function tell(report: MutantReport, json: boolean): void {
  const { mutants, killed, faultsMedian, seconds, list } = report;
  const alarms = list.flatMap((mutant) => mutant.alarms);
  const toKill = list.reduce((sum, mutant) => sum + mutant.seconds, 0).toFixed(1);
  if (json) console.log(JSON.stringify(report));
  else
    console.log(
      `${killed} of ${mutants} killed in ${toKill} s, ${seconds} s with making them smaller; faults left, median: ${faultsMedian}`,
    );
  for (const alarm of alarms) console.error(`ALARM ${alarm}`);
  process.exitCode = killed === mutants && alarms.length === 0 && !(faultsMedian > faultsMedianMax) ? 0 : 1;
}

/** At once, so that a search that is broken off has not been for nothing. One line for each; what survives keeps its line, for the next search. */
function writeSeed({ mutant, topology, seed }: HuntedMutant): void {
  if (topology === null || seed === null) return;
  const known = JSON.parse(readFileSync(seedsFile, 'utf8')) as Record<string, readonly [string, number]>;
  const all: typeof known = { ...known, [mutant]: [topology, seed] };
  const lines = mutantNames.flatMap((name) => (all[name] === undefined ? [] : [`  "${name}": ["${all[name][0]}", ${all[name][1]}]`]));
  writeFileSync(seedsFile, `{\n${lines.join(',\n')}\n}\n`);
}

function lineOf({ mutant, rule, killed, topology, seed, runs, seconds, faults, problem }: HuntedMutant, verbose: boolean): string {
  const by = killed ? `${topology} ${seed}` : 'SURVIVED';
  const cost = `${seconds.toFixed(1).padStart(5)} s ${String(runs).padStart(5)} runs ${String(faults ?? '-').padStart(3)} faults`;
  return `${mutant.padEnd(31)} ${by.padEnd(20)} ${cost}  ${rule}${verbose && problem !== null ? `\n    ${problem.slice(0, 300)}` : ''}`;
}

if (process.argv[1] === import.meta.filename) await simMutants(process.argv.slice(2));
