/** `sluice sim`: what people and programs get to see of a simulation. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sluice, TestIo } from './test-io.ts';

const sluiceEntry = join(import.meta.dirname, '../../lib/index.ts');
let folder: string;

/** Counts words; `where`: how the count is kept, `extra`: what else the function does with a word. */
function jobText(where: 'state' | 'field', extra = ''): string {
  return `import { collectSink, defineJob, fromCollection, parameter, type, valueState } from ${JSON.stringify(sluiceEntry)};
const words = Array.from({ length: 30 }, (_, i) => ({ word: 'w' + (i % 3) }));
export const job = defineJob({
  name: 'words',
  parameters: { suffix: parameter.text({ default: '', description: 'behind each word' }) },
  build(env, { suffix }) {
    const counts = new Map();
    env
      .fromSource(fromCollection(words))
      .uid('words')
      .keyBy(({ word }) => word)
      .process({
        emits: type(),
        state: { count: valueState() },
        process({ word }, { key, state, emit }) {
          ${extra}
          const count = (${where === 'field' ? 'counts.get(key)' : 'state.count.value()'} ?? 0) + 1;
          counts.set(key, count);
          state.count.update(count);
          emit({ word: key + suffix, count });
        },
      })
      .uid('count')
      .sinkTo(collectSink('counts'))
      .uid('counts');
  },
});
`;
}

const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-sim-'));
  await writeFile(path('good.ts'), jobText('state'));
  await writeFile(path('bad.ts'), jobText('field'));
  await writeFile(path('throws.ts'), jobText('state', "throw new Error('no such word');"));
  await writeFile(path('silent.ts'), jobText('state').replace('emit(', 'void ('));
});

afterAll(() => rm(folder, { recursive: true }));

describe('sluice sim', () => {
  test('says how much has been run and compared, and ends with 0 where every promise was kept', async () => {
    const { exitCode, out, err } = await sluice('sim', path('good.ts'), '--seeds', '5');
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^runs +5 in [\d.]+ s$/m);
    expect(out).toMatch(/^compared +30 records in each$/m);
    expect(out).toMatch(/^violations +0$/m);
    expect(err).toContain('run 1 without faults, to compare with');
  });

  test('tells a run that broke one with the fewest faults and the command that repeats it, which does', async () => {
    const { exitCode, out } = await sluice('sim', path('bad.ts'), '--seeds', '50', '--set', "suffix= it's", '--records', '20');
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^seed \d+ broke a promise:$/m);
    const [again] = /^Again: sluice .*$/m.exec(out)!;
    expect(again).toContain(String.raw`--set 'suffix= it'\''s'`);
    const seed = / --first-seed (\d+) --seeds 1$/.exec(again)![1]!;
    const mode = / --mode (\S+) /.exec(again)![1]!;
    const repeated = await sluice(
      'sim',
      path('bad.ts'),
      '--set',
      "suffix= it's",
      '--records',
      '20',
      '--mode',
      mode,
      '--first-seed',
      seed,
      '--seeds',
      '1',
    );
    expect(repeated.exitCode).toBe(1);
    expect(repeated.out).toContain(`seed ${seed} broke a promise:`);
  });

  test('prints JSON for programs, and nothing else', async () => {
    const { exitCode, out, err } = await sluice('sim', path('bad.ts'), '--seeds', '50', '--no-shrink', '--json');
    const report = JSON.parse(out) as { runs: number; asked: number; compared: number; violations: { seed: number; timeline: string[] }[] };
    expect(report).toMatchObject({ asked: 50, compared: 30 });
    expect(report.violations).toHaveLength(1);
    expect(report.violations[0]!.timeline.at(-1)).toContain('violation');
    expect([exitCode, err]).toEqual([1, '']);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('tells at %s what it has found so far, and ends with %i', async (signal, expected) => {
    const io = new TestIo();
    // Where each step is shown at once.
    io.isTerminal = true;
    const running = io.run('sim', path('good.ts'), '--seeds', '100000');
    while (!io.errText.includes('seed ')) await new Promise((resolve) => setTimeout(resolve, 5));
    io.signal(signal);
    const { exitCode, out, err } = await running;
    expect(exitCode).toBe(expected);
    expect(err).toContain('stopping: what has been found so far follows');
    expect(out).toMatch(/^runs +\d+ of 100,000 in/m);
  });

  test('hears it while a failing run is made smaller too, and tells that run', async () => {
    const io = new TestIo();
    // Where each step is shown at once.
    io.isTerminal = true;
    const running = io.run('sim', path('bad.ts'), '--seeds', '50');
    while (!io.errText.includes('to find the fewest faults')) await new Promise((resolve) => setTimeout(resolve, 1));
    io.signal('SIGINT');
    const { exitCode, out } = await running;
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^seed \d+ broke a promise:$/m);
  });

  test('says why a job fails that fails without any fault too', async () => {
    const { exitCode, err } = await sluice('sim', path('throws.ts'));
    expect(exitCode).toBe(1);
    expect(err).toContain('SLUICE-SIMULATION-FAILED');
    expect(err).toContain('no such word');
    expect(err).not.toContain('"version"');
  });

  test('does not say that all is well where there was nothing to compare', async () => {
    const { exitCode, out } = await sluice('sim', path('silent.ts'), '--json');
    expect(exitCode).toBe(1);
    expect(out).toContain('SLUICE-SIMULATION-EMPTY');
  });

  test('takes a mode and a million seeds, and no mode that there is not', async () => {
    const io = new TestIo();
    // Where each step is shown at once.
    io.isTerminal = true;
    const running = io.run('sim', '--mode', 'at-least-once', path('good.ts'), '--seeds', '1000000');
    while (!io.errText.includes('seed ')) await new Promise((resolve) => setTimeout(resolve, 5));
    io.signal('SIGINT');
    expect((await running).exitCode).toBe(130);
    const wrong = await sluice('sim', path('good.ts'), '--mode', 'alligned');
    expect(wrong.exitCode).toBe(2);
    expect(wrong.err).toContain('Some of aligned, unaligned, at-least-once are wanted');
  });
});
