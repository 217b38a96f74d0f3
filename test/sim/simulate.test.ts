import { describe, expect, test } from 'vitest';
import { collectSink, defineJob, fromCollection, type Job, type, valueState } from '../../lib/index.ts';
import { limits } from '../../lib/base/limits.ts';
import { simulate } from '../../lib/testing/index.ts';

const words = Array.from({ length: 40 }, (_, i) => ({ word: `w${i % 4}`, number: i }));

/** Counts words. `inField`: in a field of the function, which is lost with any batch that is thrown away, and with every restore. */
const countJob = ({ inField }: { readonly inField: boolean }): Job =>
  defineJob({
    name: 'words',
    build(env) {
      const inMemory = new Map<string, number>();
      env
        .fromSource(fromCollection(words))
        .uid('words')
        .keyBy(({ word }) => word)
        .process({
          emits: type<unknown>(),
          state: { count: valueState<number>() },
          process(_word, { key, state, emit }) {
            const count = ((inField ? inMemory.get(key) : state.count.value()) ?? 0) + 1;
            inMemory.set(key, count);
            state.count.update(count);
            emit({ word: key, count });
          },
        })
        .uid('count')
        .sinkTo(collectSink('counts'))
        .uid('counts');
    },
  });

const expected = {
  counts: words.map(({ word }, i) => ({ word, count: words.slice(0, i + 1).filter((other) => other.word === word).length })),
};

describe('simulating a job of one’s own', () => {
  test('finds nothing where it keeps what it knows in state', async () => {
    const seen: number[] = [];
    const report = await simulate(countJob({ inField: false }), { seeds: 30, onRun: ({ seed }) => seen.push(seed) });
    expect(report).toMatchObject({ runs: 30, violations: [] });
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    for (const name of ['faults', 'restores', 'savepoints', 'checkpoints', 'calls', 'virtualMs'] as const)
      expect(report[name], name).toBeGreaterThan(0);
  });

  test('finds a function that keeps it in a field, with few faults, told line by line', async () => {
    const { violations } = await simulate(countJob({ inField: true }), { seeds: 50, expected });
    expect(violations).toHaveLength(1);
    const [violation] = violations;
    expect(violation!.faults.length).toBeLessThanOrEqual(2);
    expect(violation!.problems.join()).toMatch(/sink counts shows \d+ records, 40 are right; \d+ are missing/);
    expect(violation!.timeline.at(-1)).toMatch(/violation +sink counts shows/);
    // The same seed and faults, by themselves, are the same violation.
    const again = await simulate(countJob({ inField: true }), { seeds: 1, firstSeed: violation!.seed, expected });
    expect(again.violations).toEqual(violations);
  });

  test('goes on after a violation where it is told to, and ends early where it is', async () => {
    const all = await simulate(countJob({ inField: true }), { seeds: 5, expected, bail: false, shrink: false });
    expect(all.runs).toBe(5);
    const ending = new AbortController();
    const some = await simulate(countJob({ inField: false }), { seeds: 50, signal: ending.signal, onRun: () => ending.abort() });
    expect(some.runs).toBe(1);
  });

  test('refuses a job whose results hang on the order of arrival, where there is nothing to compare with', async () => {
    let run = 0;
    const job = defineJob({
      name: 'unstable',
      build(env) {
        const number = ++run;
        env
          .fromSource(fromCollection(words))
          .uid('words')
          .map(({ word }) => ({ word, number, now: Math.random() }))
          .sinkTo(collectSink('out'))
          .uid('out');
      },
    });
    await expect(simulate(job)).rejects.toMatchObject({ code: 'SLUICE-SIMULATION-UNSTABLE' });
  });
});

describe('a seed', () => {
  test('is the same run every time: everything that was decided, in its order', async () => {
    const hashes = async (): Promise<string[]> => {
      const found: string[] = [];
      await simulate(countJob({ inField: false }), { seeds: 20, firstSeed: 4_711, onRun: ({ hash }) => found.push(hash) });
      return found;
    };
    const first = await hashes();
    expect(new Set(first).size).toBe(20);
    expect(await hashes()).toEqual(first);
  });
});

describe('what cannot be simulated', () => {
  test('is told all at once where the options are wrong', async () => {
    const options = { seeds: Number('1k'), recordsPerSplit: 0, modes: [], parallelism: [], expected: { nowhere: [] } };
    await expect(simulate(countJob({ inField: false }), options)).rejects.toMatchObject({
      code: 'SLUICE-SIMULATION-OPTIONS',
      facts: {
        faults: [
          'seeds is NaN, a whole number from 1 on is wanted',
          'recordsPerSplit is 0, a whole number from 1 on is wanted',
          'parallelism names none',
          'modes names none',
          'expected names nowhere, which is no sink of the job: counts',
        ],
      },
    });
  });

  test('is a job that never ends, with the error that its function throws', async () => {
    const job = defineJob({
      name: 'thrower',
      build(env) {
        env
          .fromSource(fromCollection(words))
          .uid('words')
          .map((): unknown => {
            throw new Error('no such word');
          })
          .uid('throws')
          .sinkTo(collectSink('out'))
          .uid('out');
      },
    });
    const error: unknown = await simulate(job).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SLUICE-SIMULATION-FAILED' });
    expect((error as Error).message).toMatch(/operator words.*no such word/);
  });

  test('leaves the limits of the process as they were, however it ends', async () => {
    const before = { ...limits };
    await simulate(countJob({ inField: false }), { seeds: 4 });
    await simulate(countJob({ inField: true }), { seeds: 50, expected, shrink: 20 });
    expect(limits).toEqual(before);
  });
});
