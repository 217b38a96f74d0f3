/** `sluice run` with a restart strategy, and `sluice dead-letters` of what it has left. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { spawnSluice, type Exited } from './spawn-sluice.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'sluice-letters-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const jobText = (policy: 'fail' | 'dead-letter'): string => `
import { defineJob, fileSink, ndjsonFiles } from 'sluice';
export const job = defineJob({
  name: 'letters',
  configuration: { 'restart-strategy.type': 'none' },
  build(env) {
    env.fromSource(ndjsonFiles('in.ndjson')).uid('lines')
      .map(({ n }) => { if (n % 2 === 0) throw new Error('even ' + n + (n === 4 ? String.fromCharCode(27) + '[2J' : '')); return { n }; }).uid('odd').onError('${policy}')
      .sinkTo(fileSink('out')).uid('results');
  },
});
`;

describe('dead letters', { timeout: 60_000 }, () => {
  const sluice = (...args: readonly string[]): Promise<Exited> => spawnSluice(args, { folder });
  const run = (...args: readonly string[]): Promise<Exited> => sluice('run', 'job.ts', '--data-dir', 'data', '--port', '0', ...args);

  test('are counted at the end of the run, shown of a data directory at rest, and written as records for a source', async () => {
    writeFileSync(join(folder, 'in.ndjson'), [1, 2, 3, 4].map((n) => `{"n":${n}}\n`).join(''));
    writeFileSync(join(folder, 'job.ts'), jobText('dead-letter'));
    const { exitCode, out } = await run();
    expect(exitCode).toBe(0);
    expect(out).toMatch(/job letters is FINISHED .*, 2 dead letters\n/);
    const shown = await sluice('dead-letters', 'letters', '--data-dir', 'data');
    expect(shown.out).toMatch(
      /odd, shard 0: SLUICE-USER-CODE: even 2\n {2}at: channel 0\/0>0, sequence 1, index 1\n {2}record: \{"n":2\}\n/,
    );
    // Nothing of a record speaks to the terminal.
    expect(shown.out).toContain(String.raw`SLUICE-USER-CODE: even 4\u001b[2J`);
    expect(shown.out).toMatch(/\n2 dead letters\n$/);
    const json = await sluice('dead-letters', 'letters', '--data-dir', 'data', '--json');
    expect(
      json.out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { message: string }).message),
    ).toEqual(['even 2', 'even 4\u001b[2J']);
    const records = await sluice('dead-letters', 'letters', '--data-dir', 'data', '--operator', 'odd', '--records');
    expect(records.out).toBe('{"n":2}\n{"n":4}\n');
    expect((await sluice('dead-letters', 'letters', '--data-dir', 'data', '--operator', 'other')).out).toBe('no dead letters\n');
    expect((await sluice('dead-letters', 'unknown', '--data-dir', 'data')).exitCode).toBe(1);
  });

  test('are none where the policy is to fail: the strategy of the job ends it, and the command line goes before the job', async () => {
    writeFileSync(join(folder, 'in.ndjson'), '{"n":2}\n');
    writeFileSync(join(folder, 'job.ts'), jobText('fail'));
    expect(await run()).toMatchObject({ exitCode: 3, err: expect.stringContaining('none: the first failure fails the job') as unknown });
    const fixed = [
      '-D',
      'restart-strategy.type=fixed-delay',
      '-D',
      'restart-strategy.fixed-delay.attempts=2',
      '-D',
      'restart-strategy.fixed-delay.delay=10 ms',
    ];
    const again = await run(...fixed);
    expect(again).toMatchObject({ exitCode: 3, err: expect.stringMatching(/restarts 2/) as unknown });
    expect(again.err).toContain('restart strategy from now on fixed-delay: 2 attempts, 10 ms apart, was none');
  });

  test.each([
    [['-D', 'restart-strategy.type=maybe'], 1, 'SLUICE-CONFIGURATION-INVALID'],
    [['-D', 'restart-strategy'], 2, 'SLUICE-USAGE'],
    [['-D', 'a=1', '-D', 'a=2'], 2, 'SLUICE-USAGE'],
  ])('an option that cannot be used is refused before anything is opened: %j', async (args, exitCode, code) => {
    writeFileSync(join(folder, 'job.ts'), jobText('fail'));
    expect(await run(...args)).toMatchObject({ exitCode, err: expect.stringContaining(code) as unknown });
    expect(existsSync(join(folder, 'data', 'base.sqlite'))).toBe(false);
  });
});
