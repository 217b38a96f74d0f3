/** `sluice run` of the flights job as a process of its own, for tests that kill it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
export const flightsInput = join(root, 'node_modules', 'vega-datasets', 'data', 'flights-3m.parquet');

export interface FlightsRun {
  readonly folder: string;
  readonly dataDir: string;
  readonly limit: number;
  readonly parallelism: number;
  readonly intervalMs: number;
  readonly fromSavepoint?: string;
}

export class FlightsProcess {
  readonly #child: ChildProcess;
  readonly #run: FlightsRun;
  errors = '';
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;

  constructor(run: FlightsRun) {
    const { folder, dataDir, limit, parallelism, intervalMs, fromSavepoint } = run;
    const set = { input: flightsInput, output: join(folder, 'output'), limit: String(limit) };
    const parameters = [
      ...Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
      ...['--data-dir', join(folder, dataDir), '--parallelism', String(parallelism), '--port', '0'],
      ...['--checkpoint-interval', `${intervalMs}ms`],
      ...(fromSavepoint === undefined ? [] : ['--from-savepoint', fromSavepoint]),
    ];
    const job = join(root, 'examples', 'flights', 'job.ts');
    this.#run = run;
    this.#child = spawn(process.execPath, [join(root, 'bin', 'sluice.mjs'), 'run', job, ...parameters], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.errors = (this.errors + chunk.toString('utf8')).slice(-20_000)));
    this.exited = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve({ code, signal })));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** The API's address, once this process serves it; undefined when the process ends before. */
  async url(): Promise<string | undefined> {
    while (this.isRunning) {
      try {
        const { url, pid } = JSON.parse(readFileSync(join(this.#run.folder, this.#run.dataDir, 'server.json'), 'utf8')) as {
          url: string;
          pid: number;
        };
        if (pid === this.#child.pid) return url;
      } catch {
        // Not written yet.
      }
      await sleep(10);
    }
    return undefined;
  }
}

export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
