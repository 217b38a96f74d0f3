/** `sluice run` as a process of its own, watched through what any user has: its data directory, its HTTP API, its exit code. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export interface EngineOptions {
  readonly jobFile: string;
  readonly dataDir: string;
  readonly parallelism: number;
  readonly set: Readonly<Record<string, string>>;
  readonly fromSavepoint?: string;
}

export interface JobProgress {
  readonly id: string;
  readonly state: string;
  /** Records that the source has read and committed. */
  readonly records: number;
}

export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #dataDir: string;
  readonly exited: Promise<number | null>;

  constructor({ jobFile, dataDir, parallelism, set, fromSavepoint }: EngineOptions) {
    const settings = Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const from = fromSavepoint === undefined ? [] : ['--from-savepoint', fromSavepoint];
    const parameters = ['run', jobFile, ...settings, '--data-dir', dataDir, '--parallelism', String(parallelism), '--port', '0', ...from];
    this.#dataDir = dataDir;
    this.#child = spawn(process.execPath, [join(root, 'bin', 'sluice.mjs'), ...parameters], { stdio: ['ignore', 'inherit', 'inherit'] });
    this.exited = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** The server's address, once this process has written it. */
  url(): string | undefined {
    const path = join(this.#dataDir, 'server.json');
    if (!existsSync(path)) return undefined;
    try {
      const { url, pid } = JSON.parse(readFileSync(path, 'utf8')) as { url: string; pid: number };
      return pid === this.#child.pid ? url : undefined;
    } catch {
      return undefined;
    }
  }

  async get<T>(path: string): Promise<T | undefined> {
    const url = this.url();
    if (url === undefined) return undefined;
    try {
      return (await (await fetch(`${url}${path}`)).json()) as T;
    } catch {
      return undefined;
    }
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const response = await fetch(`${this.url()}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  async progress(source: string): Promise<JobProgress | undefined> {
    const overview = await this.get<{ jobs: { jid: string; state: string }[] }>('/jobs/overview');
    const job = overview?.jobs[0];
    if (job === undefined) return undefined;
    const details = await this.get<{ vertices: { name: string; metrics: { 'read-records': number } }[] }>(`/jobs/${job.jid}`);
    const vertex = details?.vertices.find(({ name }) => name.includes(source));
    return { id: job.jid, state: job.state, records: vertex?.metrics['read-records'] ?? 0 };
  }

  /** Waits until the source has read that many records; fails when the process ends before. */
  async until(source: string, records: number): Promise<JobProgress> {
    while (this.isRunning) {
      const progress = await this.progress(source);
      if (progress !== undefined && progress.records >= records) return progress;
      await sleep(15);
    }
    throw new Error(`the engine ended before it had read ${records} records`);
  }
}

export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
