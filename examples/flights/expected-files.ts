/**
 * The files around the comparison: what the job committed, and a stored expectation.
 *
 * Owns: which files count as committed, and the format of the stored expectation.
 * Imports nothing of the engine, on purpose.
 *
 * 1. A file whose name begins with '.' is not yet committed and is never read.
 * 2. A stored expectation appears under its name only when it is complete (written beside it, then renamed), so its
 *    existence means that a computation in the background has finished.
 */
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ExpectedFlights } from './expected-compute.ts';

export interface CommittedLines {
  readonly files: number;
  readonly lines: string[];
}

/** The stored expectation's first line; its counts tell a cut file from a whole one. */
interface StoredHeader {
  readonly format: 'flights-expected-1';
  readonly limit: number | null;
  readonly daily: number;
  readonly seasons: number;
}

/** A branch folder that does not exist holds no lines: a job that committed nothing has lost everything. */
export async function readCommitted(outputPath: string, branch: 'daily' | 'seasons'): Promise<CommittedLines> {
  if (!(await stat(outputPath)).isDirectory()) throw new Error(`${outputPath} is not a folder`);
  const folder = join(outputPath, branch);
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.ndjson') && !name.startsWith('.')).sort();
  const lines: string[] = [];
  for (const name of names) for (const line of linesOf(await readFile(join(folder, name), 'utf8'))) lines.push(line);
  return { files: names.length, lines };
}

export async function writeExpected(path: string, expected: ExpectedFlights, limit: number | undefined): Promise<void> {
  const { daily, seasons } = expected;
  const header: StoredHeader = { format: 'flights-expected-1', limit: limit ?? null, daily: daily.length, seasons: seasons.length };
  const unfinished = join(dirname(path), `.${basename(path)}.unfinished`);
  await writeFile(unfinished, [JSON.stringify(header), ...daily, ...seasons, ''].join('\n'));
  await rename(unfinished, path);
}

/** Refuses an expectation of another limit: comparing with it would report the engine's records as lost or unexpected. */
export async function readExpected(path: string, limit: number | undefined): Promise<ExpectedFlights> {
  const [first = '', ...lines] = linesOf(await readFile(path, 'utf8'));
  const header = parseHeader(first);
  if (header === undefined || lines.length !== header.daily + header.seasons) {
    throw new Error(`${path} is not a whole file written by --write: compute it again`);
  }
  if (header.limit !== (limit ?? null)) {
    throw new Error(`${path} was computed with limit ${header.limit ?? 'none'}, not ${limit ?? 'none'}: give the same --limit`);
  }
  return { daily: lines.slice(0, header.daily), seasons: lines.slice(header.daily) };
}

function parseHeader(line: string): StoredHeader | undefined {
  try {
    const header = JSON.parse(line) as Partial<StoredHeader> | null;
    return header?.format === 'flights-expected-1' ? (header as StoredHeader) : undefined;
  } catch {
    return undefined;
  }
}

/** Only the text after the last line end is dropped, and only when empty: an empty line in between is a difference. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
