/**
 * Proves the output of the flights job by computing it again, plainly, from the same Parquet file.
 *
 * Owns: the command line. Does not own: the computation (expected-compute.ts) and the comparison (expected-compare.ts).
 * It shares no code with the engine and imports nothing from lib/: a fault of the engine cannot repeat itself here.
 *
 *   node examples/flights/expected.ts --input flights-3m.parquet --output OUTPUT [--limit N] [--json]   compute and compare
 *   node examples/flights/expected.ts --input flights-3m.parquet --write FILE [--limit N]               compute and store
 *   node examples/flights/expected.ts --expected FILE --output OUTPUT [--limit N] [--json]              compare with what was stored
 *
 * Exit code 0: every line is there exactly once; 1: a difference; 2: the comparison could not be made.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compareLines, type Comparison, shownDifferences } from './expected-compare.ts';
import { computeExpected, type ExpectedFlights } from './expected-compute.ts';
import { readCommitted, readExpected, writeExpected } from './expected-files.ts';
import { readFlights } from './expected-reader.ts';

export { compareLines };

interface Options {
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly expected: string | undefined;
  readonly write: string | undefined;
  readonly limit: number | undefined;
  readonly json: boolean;
}

interface BranchResult extends Comparison {
  readonly expected: number;
  readonly actual: number;
  readonly files: number;
}

export async function expectedFlights(inputPath: string, { limit }: { readonly limit?: number } = {}): Promise<ExpectedFlights> {
  return computeExpected(readFlights(inputPath, limit));
}

/** Returns the exit code; every line to print goes to `print`. */
export async function runExpected(commandLine: readonly string[], print: (line: string) => void): Promise<0 | 1> {
  const options = parseOptions(commandLine);
  const startedMs = performance.now();
  const expected = await obtainExpected(options);
  const seconds = Math.round(performance.now() - startedMs) / 1000;
  if (options.write !== undefined) await writeExpected(options.write, expected, options.limit);
  if (options.output === undefined) {
    const result = { daily: expected.daily.length, seasons: expected.seasons.length, seconds };
    print(options.json ? JSON.stringify(result) : `expected: daily ${result.daily} lines, seasons ${result.seasons} lines, ${seconds} s`);
    return 0;
  }
  const daily = await compareBranch(options.output, 'daily', expected.daily);
  const seasons = await compareBranch(options.output, 'seasons', expected.seasons);
  const lost = daily.missing + seasons.missing;
  const duplicated = daily.duplicated + seasons.duplicated;
  const unexpected = daily.extra + seasons.extra;
  const equal = lost + duplicated + unexpected === 0;
  if (options.json) print(JSON.stringify({ equal, lost, duplicated, unexpected, seconds, daily, seasons }));
  else printForPeople(print, { daily, seasons }, { lost, duplicated, unexpected });
  return equal ? 0 : 1;
}

function printForPeople(
  print: (line: string) => void,
  branches: Readonly<Record<'daily' | 'seasons', BranchResult>>,
  totals: { readonly lost: number; readonly duplicated: number; readonly unexpected: number },
): void {
  for (const [name, { expected, actual, files }] of Object.entries(branches)) {
    print(`${name.padEnd(7)} ${actual} of ${expected} lines in ${files} files`);
  }
  print(`lost ${totals.lost}, duplicated ${totals.duplicated}, unexpected ${totals.unexpected}`);
  const differences = Object.entries(branches).flatMap(([name, branch]) => branch.firstDifferences.map((each) => ({ name, ...each })));
  for (const { name, kind, count, line } of differences.slice(0, shownDifferences)) print(`${name}: ${kind} ${count} × ${line}`);
}

async function obtainExpected({ input, expected, limit }: Options): Promise<ExpectedFlights> {
  if (expected !== undefined) return readExpected(expected, limit);
  if (input === undefined) throw new Error('give --input PATH, or --expected FILE that an earlier --write stored');
  return expectedFlights(input, limit === undefined ? {} : { limit });
}

async function compareBranch(outputPath: string, branch: 'daily' | 'seasons', expected: readonly string[]): Promise<BranchResult> {
  const { files, lines } = await readCommitted(outputPath, branch);
  return { expected: expected.length, actual: lines.length, files, ...compareLines(expected, lines) };
}

function parseOptions(commandLine: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const options = { input: text, output: text, expected: text, write: text, limit: text, json: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args: [...commandLine], options });
  if (values.output === undefined && values.write === undefined) throw new Error('give --output DIR to compare, or --write FILE to store');
  if (values.limit !== undefined && !/^\d+$/.test(values.limit)) throw new Error(`--limit ${values.limit} is not a number of records`);
  return {
    input: toPath(values.input),
    output: toPath(values.output),
    expected: toPath(values.expected),
    write: toPath(values.write),
    limit: values.limit === undefined ? undefined : Number(values.limit),
    json: values.json ?? false,
  };
}

/** The job takes a path or a file: URI, so the proof takes the same words. */
function toPath(place: string | undefined): string | undefined {
  return place?.startsWith('file:') ? fileURLToPath(place) : place;
}

if (import.meta.main) {
  try {
    process.exitCode = await runExpected(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`));
  } catch (error) {
    process.stderr.write(`expected: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
