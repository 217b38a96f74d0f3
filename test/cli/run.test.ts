import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exited, spawnSluice, startSluice, type Exited } from './spawn-sluice.ts';

const records = 100_000;
/** For what takes several commands; a source works in steps of 16,384 records, and several steps pass before a savepoint is complete. */
const longRecords = 500_000;

/** Reads a file, counts by key. The source waits a little now and then, so that something can happen meanwhile and no barrier has to wait behind a backlog. */
const jobText = `
import { boundedOutOfOrderness, collectSink, defineJob, ndjsonFiles, parameter, type, valueState } from 'sluice';
const pause = new Int32Array(new SharedArrayBuffer(4));
export const job = defineJob({
  name: 'counting',
  parameters: { input: parameter.uri(), pauseMs: parameter.integer({ default: 0 }), failAt: parameter.integer({ default: -1 }) },
  build(env, { input, pauseMs, failAt }) {
    env.fromSource(ndjsonFiles<{ n: number }>(input), { watermarks: boundedOutOfOrderness(10, (record) => record.n) }).uid('numbers')
      .map((record) => {
        if (pauseMs > 0 && record.n % 1_000 === 0) Atomics.wait(pause, 0, 0, pauseMs);
        return record;
      }).uid('wait')
      .keyBy((record) => record.n % 7)
      .process({
        emits: type<number>(),
        state: { count: valueState<number>() },
        process({ n }, { state, emit }) {
          if (n === failAt) throw new TypeError('seven is not welcome');
          state.count.update((state.count.value() ?? 0) + 1);
          if (n % 1_000 === 0) emit(n);
        },
      }).uid('count')
      .sinkTo(collectSink('all')).uid('results');
  },
});
`;

/** Many processes at once, on a machine that may be busy. */
const patient = { timeout: 60_000 };

interface Event {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** Holds the job and its input; every test has a folder of its own in it. */
let root: string;
const running: Run[] = [];

/** One `sluice run --json`, with what it has said so far. */
class Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Exited>;
  #text = '';

  constructor(where: string | Parameters<typeof startSluice>[1], ...args: readonly string[]) {
    const common = ['--port', '0', '--json', '--checkpoint-interval', '100ms'];
    const options = typeof where === 'string' ? { folder: where } : where;
    const input = args.some((text) => text.startsWith('input=')) ? [] : ['--set', `input=${inputFile()}`];
    this.child = startSluice(['run', jobFile(), ...input, ...common, ...args], options);
    this.ended = exited(this.child);
    this.child.stdout!.on('data', (text: string) => (this.#text += text));
    running.push(this);
  }

  get events(): readonly Event[] {
    const whole = this.#text.slice(0, this.#text.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event);
  }

  async until(event: string): Promise<Event> {
    for (let tries = 0; tries < 4_000; tries++) {
      const found = this.events.find((candidate) => candidate.event === event);
      if (found !== undefined) return found;
      await pause(10);
    }
    throw new Error(`no ${event} in ${this.#text}`);
  }

  /** The address, once the job has read so many records. */
  async untilRecords(count: number): Promise<string> {
    const { url, job } = (await this.until('started')) as Event & { url: string; job: string };
    await until(async () => (await recordsRead(url, job)) >= count);
    return url;
  }
}

async function recordsRead(url: string, job: string): Promise<number> {
  const { vertices } = await read<{ vertices: { metrics: Record<string, number> }[] }>(`${url}/jobs/${job}`);
  return vertices[0]?.metrics['read-records'] ?? 0;
}

/** On a connection of its own: one that is kept may be closed by the server at the moment in which it is used again. */
async function read<T>(url: string): Promise<T> {
  return (await (await fetch(url, { headers: { connection: 'close' } })).json()) as T;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 4_000; tries++) {
    if (await condition()) return;
    await pause(10);
  }
  throw new Error(`it never came true: ${String(condition)}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function jobFile(): string {
  return join(root, 'job.ts');
}

function inputFile(): string {
  return join(root, 'in.ndjson');
}

function longInputFile(): string {
  return join(root, 'long.ndjson');
}

function newFolder(): string {
  return mkdtempSync(join(root, 'test-'));
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-run-'));
  writeFileSync(jobFile(), jobText);
  for (const [file, count] of [
    [inputFile(), records],
    [longInputFile(), longRecords],
  ] as const) {
    writeFileSync(file, Array.from({ length: count }, (_, n) => `{"n":${n}}\n`).join(''));
  }
});

afterAll(async () => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(root, { recursive: true });
});

const slow = ['--set', 'pauseMs=20'] as const;
const all = { records, eventTime: 'end' };

describe.concurrent('a run', patient, () => {
  test('serves its API while it runs, and ends with exit code 0 when its input has ended', async () => {
    const folder = newFolder();
    const run = new Run(folder, ...slow);
    const url = await run.untilRecords(1);
    expect(await read(`${url}/v1/jobs/overview`)).toMatchObject({ jobs: [{ name: 'counting', state: 'RUNNING' }] });
    expect((await run.ended).exitCode).toBe(0);
    expect(run.events.at(0)).toMatchObject({ event: 'started', name: 'counting', origin: 'started', pid: run.child.pid, url });
    expect(run.events.at(-1)).toMatchObject({ event: 'ended', status: 'FINISHED', progress: all, failure: null });
  });

  test('for people says what it does on standard error and the result on standard output', async () => {
    const folder = newFolder();
    const { exitCode, out, err } = await spawnSluice(['run', jobFile(), '--set', `input=${inputFile()}`, '--port', '0'], { folder });
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^job counting is FINISHED after .*: 100,000 records, \d+ checkpoints?\n$/);
    expect(err).toMatch(/^job counting \([0-9a-f]{32}\) starts\nHTTP API http:\/\/127\.0\.0\.1:\d+\n/);
  });

  test('takes the next port where the wanted one is taken', async () => {
    const folder = newFolder();
    const first = new Run(folder, ...slow);
    const { port } = await first.until('started');
    const second = new Run(folder, ...slow, '--port', String(port));
    expect((await second.until('started'))['port']).toBeGreaterThan(Number(port));
  });

  test('whose user code fails ends with exit code 3, and says where', async () => {
    const folder = newFolder();
    const { exitCode, err } = await spawnSluice(
      ['run', jobFile(), '--set', `input=${inputFile()}`, '--set', 'failAt=7777', '-D', 'restart-strategy.type=none', '--port', '0'],
      { folder },
    );
    expect(exitCode).toBe(3);
    expect(err).toMatch(/\nerror SLUICE-USER-CODE: .*\n {2}cause: operator count, shard 0/);
    expect(err).toContain('seven is not welcome');
  });
});

describe.concurrent('a data directory', patient, () => {
  test('is gone on from after Ctrl-C, and after its end there is nothing to do', async () => {
    const folder = newFolder();
    const first = new Run(folder, ...slow, '--data-dir', 'data');
    await first.untilRecords(1_000);
    expect(JSON.parse(readFileSync(join(folder, 'data/server.json'), 'utf8'))).toMatchObject({ pid: first.child.pid });
    first.child.kill('SIGINT');
    const { exitCode, err } = await first.ended;
    expect([exitCode, err], 'what is in hand is ended, not failed').toEqual([130, '']);
    expect(first.events.at(-1)).toEqual({ event: 'stopping', stateKept: true });
    expect(existsSync(join(folder, 'data/server.json'))).toBe(false);

    const second = new Run(folder, ...slow, '--data-dir', 'data');
    expect((await second.ended).exitCode).toBe(0);
    const { job } = await first.until('started');
    expect(second.events.at(0)).toMatchObject({ event: 'started', job, origin: 'resumed' });
    expect(second.events.at(-1)).toMatchObject({ event: 'ended', status: 'FINISHED', attempt: 1, progress: all });

    const third = new Run(folder, ...slow, '--data-dir', 'data');
    expect((await third.ended).exitCode).toBe(0);
    expect(third.events.at(0)).toMatchObject({ origin: 'ended-before' });
  });

  test('is gone on from after SIGKILL', async () => {
    const folder = newFolder();
    const first = new Run(folder, ...slow, '--data-dir', 'data');
    await first.untilRecords(1_000);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = new Run(folder, '--data-dir', 'data');
    expect((await second.ended).exitCode).toBe(0);
    expect(second.events.at(-1)).toMatchObject({ status: 'FINISHED', progress: all });
  });

  test('leads other commands to the server: a savepoint, a stop, and a start from it with more shards', async () => {
    const folder = newFolder();
    const long = ['--set', `input=${longInputFile()}`];
    const first = new Run(folder, ...long, '--set', 'pauseMs=8', '--data-dir', 'data');
    await first.untilRecords(1_000);
    const savepoint = await spawnSluice(['savepoint', 'counting', '--data-dir', 'data', '--json'], { folder });
    expect(JSON.parse(savepoint.out)).toMatchObject({ location: expect.stringContaining(join(folder, 'data/savepoints/savepoint-')) });
    const stopped = await spawnSluice(['stop', 'counting', 'elsewhere', '--data-dir', 'data', '--json'], { folder });
    expect(stopped).toMatchObject({ exitCode: 0 });
    const { location } = JSON.parse(stopped.out) as { location: string };
    expect(location).toContain(join(folder, 'elsewhere'));
    expect((await first.ended).exitCode).toBe(0);

    const second = new Run(folder, ...long, '--data-dir', 'data-2', '--from-savepoint', location, '--parallelism', '3');
    expect((await second.ended).exitCode).toBe(0);
    expect(second.events.at(0)).toMatchObject({ origin: 'restored' });
    expect(second.events.at(-1)).toMatchObject({ status: 'FINISHED', progress: { records: longRecords, eventTime: 'end' } });
  });

  test('of a run that was killed has a checkpoint that another job can start from', async () => {
    const folder = newFolder();
    const first = new Run(folder, ...slow, '--data-dir', 'data');
    const { job, url } = (await first.until('started')) as Event & { job: string; url: string };
    await until(async () => (await read<{ counts: { completed: number } }>(`${url}/jobs/${job}/checkpoints`)).counts.completed > 0);
    first.child.kill('SIGKILL');
    await first.ended;
    const inspected = await spawnSluice(['inspect', 'data', '--json'], { folder });
    expect(JSON.parse(inspected.out)).toMatchObject({ ok: true, metadata: { kind: 'checkpoint', job: { id: job } } });
    const checked = await spawnSluice(['restore', 'data', jobFile(), '--set', `input=${inputFile()}`, '--dry-run', '--json'], { folder });
    expect([checked.exitCode, JSON.parse(checked.out)]).toMatchObject([0, { ok: true }]);
    const second = new Run(folder, '--data-dir', 'data-2', '--from-savepoint', 'data');
    expect((await second.ended).exitCode).toBe(0);
    expect(second.events.at(-1)).toMatchObject({ status: 'FINISHED', progress: all });
  });

  test('is used by one process at a time', async () => {
    const folder = newFolder();
    const first = new Run(folder, ...slow, '--data-dir', 'data');
    await first.until('started');
    const second = new Run(folder, '--data-dir', 'data');
    const { exitCode, out } = await second.ended;
    expect([exitCode, JSON.parse(out)]).toMatchObject([1, { error: { code: 'SLUICE-DATA-DIR-LOCKED' } }]);
  });
});

test('a job that is canceled ends its run with exit code 4', patient, async () => {
  const folder = newFolder();
  const run = new Run(folder, ...slow, '--data-dir', 'data');
  await run.untilRecords(1);
  const canceled = await spawnSluice(['cancel', 'counting', '--data-dir', 'data'], { folder });
  expect(canceled.exitCode).toBe(0);
  expect((await run.ended).exitCode).toBe(4);
});

describe.concurrent('under an older Node the run is a process below the one that was started', patient, () => {
  const start = () => new Run({ folder: newFolder(), asOldNode: true }, ...slow, '--data-dir', 'data');

  test('which is asked to stop with it', async () => {
    const run = start();
    await run.untilRecords(1);
    run.child.kill('SIGINT');
    expect((await run.ended).exitCode).toBe(130);
    expect(run.events.at(-1)).toEqual({ event: 'stopping', stateKept: true });
  });

  test('which dies with it', async () => {
    const run = start();
    await run.untilRecords(1);
    const pid = Number((await run.until('started'))['pid']);
    expect(pid).not.toBe(run.child.pid);
    run.child.kill('SIGKILL');
    await run.ended;
    await until(async () => !isAlive(pid));
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
