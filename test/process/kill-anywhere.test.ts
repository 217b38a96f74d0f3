import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectedFlights, compareLines } from '../../examples/flights/expected.ts';
import { readCommitted } from '../../examples/flights/expected-files.ts';
import { Choices } from '../runtime/chaos-random.ts';
import { flightsInput, FlightsProcess, sleep } from './flights-process.ts';

const kills = Number(process.env['KILL_COUNT'] ?? 30);
/** So many that the job is not over before its last kill. */
const limit = Math.min(3_000_000, Math.max(300_000, kills * 10_000));
const seed = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 1e9));
const choices = new Choices(seed);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-kill-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function expectExactOutput(): Promise<void> {
  const expected = await expectedFlights(flightsInput, { limit });
  for (const branch of ['daily', 'seasons'] as const) {
    const { lines } = await readCommitted(join(folder, 'output'), branch);
    const { missing, extra, duplicated } = compareLines(expected[branch], lines);
    expect({ branch, missing, extra, duplicated }, `KILL_SEED=${seed}`).toEqual({ branch, missing: 0, extra: 0, duplicated: 0 });
  }
}

test(
  `the flights job killed at ${kills} random moments writes every line exactly once`,
  async () => {
    console.log(`KILL_SEED=${seed}`);
    const run = { folder, dataDir: 'data', limit, parallelism: 2, intervalMs: 100 };
    for (let kill = 0; kill < kills; kill++) {
      const life = new FlightsProcess(run);
      await Promise.race([sleep(100 + choices.below(500)), life.exited]);
      if (!life.isRunning) {
        expect((await life.exited).code, life.errors).toBe(0);
        continue;
      }
      life.kill();
      await life.exited;
    }
    const last = new FlightsProcess(run);
    expect((await last.exited).code, last.errors).toBe(0);
    await expectExactOutput();
  },
  Math.max(180_000, kills * 3_000),
);

test('kills during savepoints and restores leave the output exact', async () => {
  console.log(`KILL_SEED=${seed}`);
  const first = { folder, dataDir: 'first', limit, parallelism: 2, intervalMs: 100 };
  const location = await stopWithKills(first);
  const second = { folder, dataDir: 'second', limit, parallelism: 3, intervalMs: 100, fromSavepoint: location };
  for (let kill = 0; kill < 5; kill++) {
    const life = new FlightsProcess(second);
    await Promise.race([sleep(120 + choices.below(250)), life.exited]);
    life.kill();
    await life.exited;
  }
  const last = new FlightsProcess(second);
  expect((await last.exited).code, last.errors).toBe(0);
  await expectExactOutput();
}, 180_000);

/**
 * Asks for a stop with a savepoint and kills the process soon after, five times, then lets it end. The same trigger id makes all of it one operation, which
 * may be over in any of the lives.
 */
async function stopWithKills(run: ConstructorParameters<typeof FlightsProcess>[0]): Promise<string> {
  const trigger = choices.hex(32);
  for (let life = 0; ; life++) {
    const engine = new FlightsProcess(run);
    await askToStop(engine, trigger).catch(() => undefined);
    if (life < 5) {
      await Promise.race([sleep(choices.below(120)), engine.exited]);
      engine.kill();
    }
    const { code } = await engine.exited;
    if (code === 0) return wholeSavepoint();
    expect(life, engine.errors).toBeLessThan(5);
  }
}

async function askToStop(engine: FlightsProcess, trigger: string): Promise<void> {
  const url = await engine.url();
  const { jobs } = await json<{ jobs: { jid: string }[] }>(`${url}/jobs/overview`);
  await sleep(choices.below(150));
  await json(`${url}/jobs/${jobs[0]!.jid}/stop`, { targetDirectory: join(folder, 'savepoints'), triggerId: trigger });
}

async function wholeSavepoint(): Promise<string> {
  const names = await readdir(join(folder, 'savepoints'));
  expect(names, 'one trigger id makes one savepoint').toHaveLength(1);
  const location = join(folder, 'savepoints', names[0]!);
  expect(await readdir(location)).toContain('_metadata.json');
  return location;
}

async function json<T>(url: string, body?: unknown): Promise<T> {
  const init = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return (await (await fetch(url, init)).json()) as T;
}
