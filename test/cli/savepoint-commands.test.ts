import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import { StateWorld } from '../savepoint/fixture.ts';
import { spawnSluice } from './spawn-sluice.ts';

let folder: string;

const jobFile = (name: string, state: string): string => `
import { collectSink, defineJob, fromCollection, noWatermarks, type, valueState, listState } from 'sluice';
export const job = defineJob({
  name: '${name}',
  build(env) {
    env.fromSource(fromCollection([1, 2, 3]), { watermarks: noWatermarks() }).uid('numbers')
      .keyBy((n) => n % 2)
      .process({ emits: type<number>(), state: { total: ${state} }, process(n, { emit }) { emit(n); } }).uid('count')
      .sinkTo(collectSink('all')).uid('results');
  },
});
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-savepoint-'));
  const world = new StateWorld();
  await world.fill();
  await world.export(createFsSavepointFolders().at(join(folder, 'whole')));
  await world.export(createFsSavepointFolders().at(join(folder, 'damaged')));
  const metadata = join(folder, 'damaged', '_metadata.json');
  writeFileSync(metadata, readFileSync(metadata, 'utf8').replace('counting', 'c0unting'));
  writeFileSync(join(folder, 'job.ts'), jobFile('counting', 'valueState<number>()'));
  writeFileSync(join(folder, 'other.ts'), jobFile('another', 'listState<number>()'));
});

afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: readonly string[]) => spawnSluice(args, { folder });

describe('inspect', () => {
  test('shows what is in a savepoint and that it is whole', async () => {
    const { exitCode, out } = await run('inspect', 'whole', '--samples', '1');
    expect(exitCode).toBe(0);
    expect(out).toContain('total: 41 rows');
    expect(out).toMatch(/whole: \d+ files, .* every checksum is right\n$/);
  });

  test('takes the metadata file and a file URI as well, and prints JSON', async () => {
    for (const location of [join('whole', '_metadata.json'), pathToFileURL(join(folder, 'whole')).href]) {
      expect(JSON.parse((await run('inspect', location, '--json')).out)).toMatchObject({
        ok: true,
        rows: 43,
        metadata: { job: { name: 'counting' } },
      });
    }
  });

  test('of a damaged one says what is wrong, with an exit code of its own', async () => {
    const { exitCode, out } = await run('inspect', 'damaged');
    expect([exitCode, out]).toEqual([5, expect.stringMatching(/cannot be used:\n {2}SLUICE-SAVEPOINT-CORRUPT: /)]);
    expect(JSON.parse((await run('inspect', 'damaged', '--json')).out)).toMatchObject({
      ok: false,
      reasons: [{ code: 'SLUICE-SAVEPOINT-CORRUPT' }],
    });
  });

  test('of one that cannot be read says why, once, and has nothing against what it holds', async () => {
    mkdirSync(join(folder, 'loops'));
    symlinkSync('_metadata.json', join(folder, 'loops', '_metadata.json'));
    const { exitCode, out } = await run('inspect', 'loops');
    expect([exitCode, out.match(/ELOOP/g)]).toEqual([5, ['ELOOP']]);
    expect(out).toContain(`  SLUICE-SAVEPOINT-UNREADABLE: ${join(folder, 'loops', '_metadata.json')} cannot be read: `);
  });

  test('of a folder that is none says so', async () => {
    expect(await run('inspect', '.')).toMatchObject({ exitCode: 5, out: expect.stringContaining('SLUICE-SAVEPOINT-MISSING') });
  });
});

describe('restore --dry-run', () => {
  test('says that the job can start and what would happen', async () => {
    const { exitCode, out, err } = await run('restore', 'whole', 'job.ts', '--dry-run', '--parallelism', '2');
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toContain(`job counting can start from ${join(folder, 'whole')}\n`);
    expect(out).toContain('keeps its state: numbers, count');
    expect(out).toContain('count: 3 shards become 2');
  });

  test('names every reason at once where it cannot', async () => {
    const { exitCode, out } = await run('restore', 'whole', 'other.ts', '--dry-run');
    expect(exitCode).toBe(5);
    expect(out).toContain('job another cannot start from');
    expect(out).toContain('OTHER_JOB: ');
    expect(out).toContain('STATE_KIND_CHANGED: state total of operator count was value state and is list state');
    expect(out).toMatch(/nothing was changed\n$/);
  });

  test('says what is wrong with the options of the run, as the run would', async () => {
    const options = [
      '-D',
      'restart-strategy.type=fixed-delay',
      '-D',
      'restart-strategy.fixed-delay.attempts=many',
      '-D',
      'execution.checkpointing.mode=never',
    ];
    const dry = await run('restore', 'whole', 'job.ts', '--dry-run', ...options);
    expect(dry).toMatchObject({ exitCode: 1, err: expect.stringContaining('restart-strategy.fixed-delay.attempts') });
    expect(dry.err).toContain('execution.checkpointing.mode is never');
    expect(await run('restore', 'whole', 'job.ts', ...options)).toEqual(dry);
    const tooShort = await run('restore', 'whole', 'job.ts', '--dry-run', '--checkpoint-interval', '1ms');
    expect(tooShort.exitCode).not.toBe(0);
    expect(tooShort.err).toMatch(/interval/);
    expect((await run('restore', 'whole', 'job.ts', '--dry-run', '-D', 'execution.checkpointing.mode=AT_LEAST_ONCE')).exitCode).toBe(0);
  });

  test('prints JSON', async () => {
    const { exitCode, out } = await run('restore', 'damaged', 'job.ts', '--dry-run', '--json');
    expect([exitCode, JSON.parse(out)]).toMatchObject([5, { ok: false, reasons: [{ code: 'SLUICE-SAVEPOINT-CORRUPT' }] }]);
  });
});
