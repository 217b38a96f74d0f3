import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { requestCancel } from '../../lib/coordinator/cancel-job.ts';
import { collectSink, compileJob, defineJob, fileSink, monotonousTimestamps, type, valueState, type CompiledJob } from '../../lib/index.ts';
import { scenario } from './scenario.ts';
import { gatedInput, useWorld, type GatedInput, type Run } from './support.ts';

interface Entry {
  readonly account: string;
  readonly amount: number;
  readonly number: number;
}

const entries = 6_000;
/** A small generator of its own: the same seed gives the same stream. */
function seeded(seed: number): readonly Entry[] {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return Array.from({ length: entries }, (_, number) => ({ account: `account ${next(50)}`, amount: next(2_000) - 1_000, number }));
}

const world = useWorld();
const endOfTime = 1_000_000;

/** Sums by account; the table is written when event time ends. */
function accounts({ source }: GatedInput<Entry>, output: string, parallelism: number): CompiledJob {
  const sums = defineJob({
    name: 'accounts',
    build(env) {
      const accountSums = env
        .fromSource(source, { watermarks: monotonousTimestamps(({ number }) => number) })
        .uid('entries')
        .keyBy(({ account }) => account)
        .process({
          emits: type<unknown>(),
          state: { sum: valueState<number>() },
          process({ amount, number }, { key, state, timers, emit }) {
            state.sum.update((state.sum.value() ?? 0) + amount);
            timers.registerEventTime(endOfTime);
            emit({ account: key, number, sum: state.sum.value() });
          },
          onTimer: (_timer, { key, state, emit }) => emit({ account: key, total: state.sum.value() }),
        })
        .uid('sums');
      accountSums.sinkTo(collectSink('changes')).uid('changes');
      accountSums
        .filter((result) => 'total' in (result as object))
        .sinkTo(fileSink(output))
        .uid('table');
    },
  });
  return compileJob(sums, { parallelism });
}

/** All lines of all visible files, sorted: which subtask wrote a line means nothing. */
async function tableIn(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts
    .flatMap((text) => text.split('\n').filter((line) => line !== ''))
    .toSorted()
    .join('\n');
}

const changes = (): readonly string[] =>
  world.collect
    .published('changes')
    .map((change) => JSON.stringify(change))
    .toSorted();

const input = gatedInput('entries', [seeded(4_711)]);

/** The run without a stop, which all others are held against. */
async function straight(): Promise<{ readonly table: string; readonly changes: readonly string[] }> {
  input.open(1);
  await (await world.start(accounts(input, join(world.folder, 'straight'), 2))).finished();
  const result = { table: await tableIn(join(world.folder, 'straight')), changes: changes() };
  expect(result.changes).toHaveLength(entries + 50);
  expect(result.table.split('\n')).toHaveLength(50);
  world.emptySinks();
  return result;
}

/** A job that has read about half. */
async function halfWay(): Promise<Run> {
  input.open(0);
  const run = await world.start(accounts(input, join(world.folder, 'table'), 2), { dataDir: 'first' });
  await run.twoCheckpoints([input], 0.5);
  input.open(0.6);
  return run;
}

/** Goes on from the savepoint with more subtasks; `meanwhile` while it runs. */
async function resume(fromSavepoint: string, dataDir = 'second', meanwhile: () => Promise<unknown> = async () => undefined): Promise<void> {
  input.open(0.6);
  const run = await world.start(accounts(input, join(world.folder, 'table'), 3), { dataDir, fromSavepoint });
  expect(run.running.origin).toBe('restored');
  await meanwhile();
  input.open(1);
  await run.finished();
}

const filesIn = async (folder: string): Promise<readonly string[]> => (await readdir(folder, { recursive: true })).toSorted();

scenario(8, 'canceled with the savepoint, the job has shown every result once in the end', async (mode) => {
  const expected = await straight();
  const run = await halfWay();
  const savepoint = await run.savepoint('cancel');
  await run.canceled();
  await resume(savepoint);
  world.expectOvertaken(mode);
  expect(await tableIn(join(world.folder, 'table'))).toBe(expected.table);
  expect(changes()).toEqual(expected.changes);
});

scenario(8, 'canceled later, the job writes the same table; the savepoint stays, and once disposed of is gone', async () => {
  const expected = await straight();
  const run = await halfWay();
  const savepoint = await run.savepoint();
  const files = await filesIn(savepoint);
  await run.checkpointAfter(() => input.open(0.7));
  await requestCancel(run.running.engine.coordinator, run.running.job);
  await run.canceled();
  // What was shown between savepoint and cancel is made again: only the result counts, which was not written yet.
  await resume(savepoint);
  expect(await tableIn(join(world.folder, 'table'))).toBe(expected.table);
  expect(await filesIn(savepoint)).toEqual(files);

  await rm(join(world.folder, 'table'), { recursive: true });
  // A savepoint is a folder and nothing else: removing it disposes of it, also under a job that has started from it.
  await resume(savepoint, 'third', () => rm(savepoint, { recursive: true }));
  expect(await tableIn(join(world.folder, 'table'))).toBe(expected.table);
  await expect(resume(savepoint, 'fourth')).rejects.toMatchObject({ code: 'SLUICE-REFUSED', message: expect.stringContaining(savepoint) });
});

for (const [what, nameOf] of [
  ['its folder', (folder: string) => folder],
  ['its metadata file', (folder: string) => join(folder, '_metadata.json')],
  ['the URI of its folder', (folder: string) => pathToFileURL(folder).href],
] as const)
  scenario(9, `a copy of which the original is gone does as well, named by ${what}`, async (mode) => {
    const expected = await straight();
    const run = await halfWay();
    const original = await run.stop('suspend');
    const copy = join(world.folder, 'elsewhere', 'copy');
    await cp(original, copy, { recursive: true });
    await rm(original, { recursive: true });
    await resume(nameOf(copy));
    world.expectOvertaken(mode);
    expect(await tableIn(join(world.folder, 'table'))).toBe(expected.table);
    expect(changes()).toEqual(expected.changes);
  });
