/** `sluice run` with checkpoint options by Flink's names, in the job file and on the command line. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { spawnSluice, type Exited } from './spawn-sluice.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'sluice-options-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** A source works in steps of 16,384 records, and a checkpoint waits for one or two. */
const records = 150_000;

/** Takes half a second or more. Fails at the end where it is told to. */
const jobText = (configuration: Readonly<Record<string, unknown>>): string => `
import { collectSink, defineJob, ndjsonFiles, parameter } from 'sluice';
const pause = new Int32Array(new SharedArrayBuffer(4));
export const job = defineJob({
  name: 'numbers',
  parameters: { fails: parameter.boolean({ default: false }) },
  configuration: ${JSON.stringify({ 'restart-strategy.type': 'none', ...configuration })},
  build(env, { fails }) {
    env.fromSource(ndjsonFiles('in.ndjson')).uid('lines')
      .map(({ n }) => {
        if (n % 200 === 0) Atomics.wait(pause, 0, 0, 1);
        if (fails) throw new Error('told to');
        return { n };
      }).uid('wait')
      .keyBy(({ n }) => n % 3).reduce((first) => first).uid('first')
      .sinkTo(collectSink('all')).uid('results');
  },
});
`;

function write(configuration: Readonly<Record<string, unknown>> = {}): void {
  writeFileSync(join(folder, 'job.ts'), jobText(configuration));
  writeFileSync(join(folder, 'in.ndjson'), Array.from({ length: records }, (_, n) => `{"n":${n}}\n`).join(''));
}

const run = (...args: readonly string[]): Promise<Exited> => spawnSluice(['run', 'job.ts', '--port', '0', ...args], { folder });
const define = (...options: readonly string[]): readonly string[] => options.flatMap((option) => ['-D', option]);

/** Of one whole run. */
async function checkpointsOf(...args: readonly string[]): Promise<number> {
  const { exitCode, out } = await run(...args);
  expect(exitCode).toBe(0);
  return Number(/: 150,000 records, ([\d,]+) checkpoints?/.exec(out)?.[1]);
}

describe('the interval by Flink’s name', { timeout: 60_000 }, () => {
  test('is the one that the job runs with: of the job, and of the command line before the job’s', async () => {
    write({ 'execution.checkpointing.interval': '1 h' });
    expect(await checkpointsOf(), 'the last one only').toBe(1);
    expect(await checkpointsOf(...define('execution.checkpointing.interval=20 ms'))).toBeGreaterThan(1);
  });

  test('holds for a run: the same again says nothing, and a run without it goes back to the default', async () => {
    write();
    const failing = ['--set', 'fails=true', '--data-dir', 'data'];
    const options = define('execution.checkpointing.interval=2 s', 'execution.checkpointing.num-retained=3');
    expect((await run(...failing, ...options)).exitCode).toBe(3);
    const same = await run(...failing, ...options);
    expect(same.exitCode).toBe(3);
    expect(same.err).not.toContain('from now on');
    expect((await run(...failing)).err).toMatch(/^checkpoints from now on: interval 1\.0 s, was 2\.0 s; retained 1, was 3$/m);
  });
});

describe('options that cannot be used', { timeout: 60_000 }, () => {
  test('are refused before anything is opened: those of the job file and those of the command line in one error', async () => {
    write({ 'execution.checkpointing.mode': 'AT_MOST_ONCE', 'restart-strategy.fixed-delay.attempts': 'many' });
    const { exitCode, err } = await run('--data-dir', 'data', ...define('execution.checkpointing.intervall=1', 'state.checkpoints.dir=x'));
    expect(exitCode).toBe(1);
    expect(err).toContain('SLUICE-CONFIGURATION-INVALID');
    expect(err).toContain('restart-strategy.fixed-delay.attempts is many');
    expect(err).toContain('execution.checkpointing.mode is AT_MOST_ONCE');
    expect(err).toContain('there is no option execution.checkpointing.intervall; execution.checkpointing.interval is meant?');
    expect(err).toContain('state.checkpoints.dir is given as --data-dir on the command line');
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  test('together are refused as our own options are', async () => {
    write({ 'execution.checkpointing.unaligned.enabled': true });
    const { exitCode, err } = await run(...define('execution.checkpointing.mode=AT_LEAST_ONCE'));
    expect([exitCode, err]).toEqual([1, expect.stringContaining('SLUICE-CHECKPOINT-OPTIONS')]);
    expect(err).toContain('unaligned needs mode exactly-once');
  });
});
