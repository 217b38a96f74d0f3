/** What a person is told who runs a job again with something changed. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { moduleDigest, noteImport } from '../../lib/cli/job-modules.ts';
import { spawnSluice, type Exited } from './spawn-sluice.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-again-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const jobText = `
import { defineJob, fileSink, fromCollection, noWatermarks } from 'sluice';
import { half } from './lib/half.ts';
export const job = defineJob({
  name: 'halves',
  build(env) {
    env.fromSource(fromCollection([2, 4, 5, 6]), { watermarks: noWatermarks() }).uid('numbers')
      .keyBy((n) => n).reduce((first) => first).uid('first')
      .map((n) => ({ half: half(n) })).uid('half')
      .sinkTo(fileSink('out')).uid('results');
  },
});
`;
const strict =
  "import { rest } from '../rest.ts';\nexport const half = (n: number): number => { if (rest(n) !== 0) throw new Error('odd'); return n / 2; };\n";
const lax = "import { rest } from '../rest.ts';\nexport const half = (n: number): number => (n - rest(n)) / 2;\n";

function write(file: string, text: string): void {
  mkdirSync(join(folder, file, '..'), { recursive: true });
  writeFileSync(join(folder, file), text);
}

describe('run again', { timeout: 60_000 }, () => {
  const run = (...args: readonly string[]): Promise<Exited> =>
    spawnSluice(['run', 'job.ts', '--data-dir', 'data', '--port', '0', '-D', 'restart-strategy.type=none', ...args], { folder });

  test('says that the code has changed, also in what the job file imports, and from where it goes on', async () => {
    write('job.ts', jobText);
    write('rest.ts', 'export const rest = (n: number): number => n % 2;\n');
    write('lib/half.ts', strict);
    expect(await run()).toMatchObject({ exitCode: 3, err: expect.stringContaining('SLUICE-USER-CODE') as unknown });
    const same = await run();
    expect(same.exitCode).toBe(3);
    expect(same.err).not.toContain('has changed');
    expect(same.err).toContain('goes on from its beginning: no checkpoint was complete');
    write('lib/half.ts', lax);
    const { exitCode, err } = await run('--checkpoint-interval', '2s', '--checkpoint-mode', 'at-least-once');
    expect(exitCode).toBe(0);
    expect(err).toMatch(/^the job's code has changed since the last run \(digest [0-9a-f]{8}, was [0-9a-f]{8}\)$/m);
    expect(err).toMatch(/^checkpoints from now on: interval 2\.0 s, was 1\.0 s; mode at-least-once, was exactly-once$/m);
    expect(err).toContain('goes on with its new code from its beginning');
    const lines = readdirSync(join(folder, 'out')).map((name) => readFileSync(join(folder, 'out', name), 'utf8'));
    expect(lines.join('').trimEnd().split('\n').sort()).toEqual(['{"half":1}', '{"half":2}', '{"half":2}', '{"half":3}']);
  });

  test('says so to programs too', async () => {
    write('job.ts', jobText);
    write('rest.ts', 'export const rest = (n: number): number => n % 2;\n');
    write('lib/half.ts', strict);
    await run('--json');
    write('rest.ts', 'export const rest = (n: number): number => n & 1;\n');
    const { out } = await run('--json', '--parallelism', '2');
    expect(JSON.parse(out.split('\n')[0]!)).toMatchObject({
      event: 'started',
      origin: 'restored',
      restoredFrom: 0,
      sinceLastRun: { plan: true, code: { from: expect.any(String) as unknown, to: expect.any(String) as unknown }, settings: [] },
    });
  });
});

describe('the digest of a job', () => {
  const urlOf = (file: string): string => pathToFileURL(join(folder, file)).href;

  test('is over its own modules, by name and content, wherever they stand', () => {
    for (const place of ['a', 'b']) {
      write(`${place}/job.ts`, 'job');
      write(`${place}/deep/one.ts`, 'one');
      write(`${place}/other.ts`, place);
      noteImport(urlOf(`${place}/job.ts`), urlOf(`${place}/deep/one.ts`));
    }
    expect(moduleDigest(urlOf('a/job.ts'))).toBe(moduleDigest(urlOf('b/job.ts')));
    const before = moduleDigest(urlOf('a/job.ts'));
    noteImport(urlOf('a/deep/one.ts'), urlOf('a/other.ts'));
    const withOther = moduleDigest(urlOf('a/job.ts'));
    write('a/other.ts', 'changed');
    expect(new Set([before, withOther, moduleDigest(urlOf('a/job.ts'))]).size).toBe(3);
  });

  test('leaves out packages, Sluice, and what is no file', () => {
    write('job.ts', 'job');
    write('node_modules/p/index.js', 'p');
    const before = moduleDigest(urlOf('job.ts'));
    for (const other of [urlOf('node_modules/p/index.js'), new URL('../../lib/index.ts', import.meta.url).href, 'node:fs']) {
      noteImport(urlOf('job.ts'), other);
    }
    expect(moduleDigest(urlOf('job.ts'))).toBe(before);
  });
});
