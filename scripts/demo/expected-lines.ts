/** The independent computation, in a process of its own beside the engine. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const script = join(import.meta.dirname, '..', '..', 'examples', 'flights', 'expected.ts');

export interface Comparison {
  readonly equal: boolean;
  readonly lost: number;
  readonly duplicated: number;
  readonly unexpected: number;
  readonly daily: BranchComparison;
  readonly seasons: BranchComparison;
}

interface BranchComparison {
  readonly expected: number;
  readonly actual: number;
  readonly files: number;
  readonly firstDifferences: readonly { readonly kind: string; readonly line: string; readonly count: number }[];
}

/** Begins to compute what the output must be; the engine's work goes on meanwhile. */
export async function writeExpected(input: string, file: string, limit: readonly string[]): Promise<void> {
  const { code, output } = await run(['--input', input, '--write', file, ...limit]);
  if (code !== 0) throw new Error(`the plain computation failed: ${output}`);
}

export async function compare(expected: string, output: string, limit: readonly string[]): Promise<Comparison> {
  const result = await run(['--expected', expected, '--output', output, '--json', ...limit]);
  if (result.code === 2) throw new Error(`the comparison could not be made: ${result.output}`);
  return JSON.parse(result.output) as Comparison;
}

function run(parameters: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--max-semi-space-size=4', script, ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.once('exit', (code) => resolve({ code, output }));
  });
}
