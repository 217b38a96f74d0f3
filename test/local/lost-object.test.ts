/** Somebody deletes objects under the running engine. */
import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileObjectStore } from '../../lib/adapters/fs/file-object-store.ts';
import { errorMessage } from '../../lib/base/errors.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import { accumulatorSink, type CompiledJob, type Sink } from '../../lib/index.ts';
import { jobPrefix } from '../../lib/model/object-keys.ts';
import { decodeValue } from '../../lib/model/value-json.ts';
import { countingJob, expectWhole, numbers, numbersInput } from '../scenarios/counting-job.ts';
import { Fault, until, useWorld, type GatedInput, type Run } from '../scenarios/support.ts';

const world = useWorld();
/** Numbers 0 … 1,999 of seven keys, each with its place among those of its key. */
const placesSum = numbers.reduce((sum, n) => sum + Math.floor(n / 7) + 1, 0);
const adding = (): Sink<unknown> =>
  accumulatorSink({ initial: 0, add: (sum, value: unknown) => sum + (value as { readonly count: number }).count });

/** A failed try drops the shard from memory: the next one reads it from its objects. */
function failOnce(fault: Fault): void {
  fault.arm(() => {
    throw new Error('the function failed, this once');
  });
}

async function remove(run: Run, isDoomed: (key: string) => boolean): Promise<string[]> {
  const { stores, job } = run.running;
  const doomed = (await stores.objects.list(jobPrefix(job))).map(({ key }) => key).filter(isDoomed);
  await stores.objects.remove(doomed);
  return doomed;
}

async function newestDeltas(run: Run): Promise<readonly string[]> {
  const { id, manifest } = (await run.record()).retained.at(-1)!;
  const { shards } = decodeManifest((await run.running.stores.objects.read(manifest))!, manifest);
  return shards.flatMap(({ deltas }) => deltas.filter(({ epoch }) => epoch === id).map(({ key }) => key));
}

/** The job ends in its second attempt, with every number counted once. */
async function expectTotal(run: Run): Promise<void> {
  const { ended, job, stores } = run.running;
  const record = (await ended) && (await stores.shards.read({ job, uid: operatorUid('results'), shard: 0 }));
  expect(record!.operatorStates[operatorUid('results')]).toMatchObject({ accumulator: { items: [String(placesSum)] } });
  expect(await run.finished()).toMatchObject({ attempt: 2, counts: { restored: 1 } });
}

describe('the running engine', () => {
  test('begins anew where segments are gone before the first checkpoint, and the output is exact', async () => {
    const [input, fault] = [numbersInput(), new Fault()];
    const run = await world.start(countingJob(input, { meet: () => fault.meet() }), { intervalMs: 3_600_000 });
    input.open(0.5);
    await run.untilRead('numbers', 1_000);
    await run.untilRead('count', 1_000);
    expect(await remove(run, (key) => key.includes('/segments/count/'))).not.toEqual([]);
    failOnce(fault);
    input.open(0.9);
    await until(async () => (await run.record()).attempt === 2);
    input.open(1);
    expect(await run.finished()).toMatchObject({ attempt: 2, counts: { restored: 1 } });
    expectWhole(world.collect.published('all'));
  });

  test('goes back to the older checkpoint where the newest has lost its state, and the total is exact', async () => {
    const [input, fault] = [numbersInput(), new Fault()];
    const run = await world.start(countingJob(input, { sink: adding(), meet: () => fault.meet() }), { retained: 2 });
    await run.twoCheckpoints([input], 0.5);
    await run.untilRead('count', 1_000);
    await run.settled();
    const [older, newest] = (await run.record()).retained;
    const doomed = await newestDeltas(run);
    expect(doomed).not.toEqual([]);
    await remove(run, (key) => doomed.includes(key));
    failOnce(fault);
    input.open(0.51);
    await until(async () => (await run.record()).attempt === 2);
    expect((await run.running.stores.history.read(run.running.job)).filter(({ kind }) => kind === 'restore')).toMatchObject([
      { checkpoint: older!.id },
    ]);
    expect(older!.id).toBeLessThan(newest!.id);
    input.open(1);
    await expectTotal(run);
  });

  test('ends with a cause that names object and checkpoints where sinks would show the same twice', async () => {
    const [input, fault] = [numbersInput(), new Fault()];
    const run = await world.start(countingJob(input, { meet: () => fault.meet() }), { retained: 2 });
    await run.twoCheckpoints([input], 0.5);
    await run.untilRead('count', 1_000);
    await run.settled();
    const doomed = await newestDeltas(run);
    await remove(run, (key) => doomed.includes(key));
    const before = world.collect.published('all').length;
    failOnce(fault);
    input.open(0.51);
    const { status, failure, retained } = await run.running.ended;
    expect(status).toBe('FAILED');
    const { code, message } = decodeValue(Buffer.from((await run.running.stores.objects.read(failure!))!).toString()) as Record<
      string,
      string
    >;
    expect(code).toBe('SLUICE-CHECKPOINTS-LOST');
    expect(message).toContain(doomed[0]);
    for (const { id } of retained) expect(message).toContain(`checkpoint ${id}: `);
    expect(world.collect.published('all')).toHaveLength(before);
  });
});

describe('a start whose data directory has lost an object', () => {
  /** Two checkpoints are complete, and the files of what the newest added are away; `putBack` undoes that. */
  async function begun(program: CompiledJob, input: GatedInput<number>) {
    const run = await world.start(program, { dataDir: 'data', retained: 2 });
    await run.twoCheckpoints([input], 0.5);
    await run.untilRead('count', 1_000);
    await run.settled();
    const deltas = await newestDeltas(run);
    const named = [...(run.running.stores.objects as FileObjectStore).named()];
    const retained = (await run.record()).retained.map(({ id }) => id);
    await run.close();
    const paths = named.filter(({ key }) => deltas.includes(key)).map(({ file }) => join(world.folder, 'data', 'objects', file));
    expect(paths).not.toEqual([]);
    const away = (path: string): string => join(world.folder, basename(path));
    for (const path of paths) await rename(path, away(path));
    const putBack = async (): Promise<void> => {
      for (const path of paths) await rename(away(path), path);
    };
    return { retained, paths, putBack };
  }

  test('goes back to the newest whole checkpoint and says why, and the total is exact', async () => {
    const input = numbersInput();
    const program = countingJob(input, { sink: adding(), ballast: 100_000 });
    const { retained, paths } = await begun(program, input);
    const run = await world.start(program, { dataDir: 'data', retained: 2 });
    expect(run.running).toMatchObject({ origin: 'restored', restoredFrom: retained[0] });
    expect(run.running.lost.map(({ path, problem }) => [path, problem])).toEqual(paths.map((path) => [path, 'it is missing']));
    input.open(1);
    await expectTotal(run);
    expect((await world.start(program, { dataDir: 'data', retained: 2 })).running).toMatchObject({ origin: 'ended-before', lost: [] });
  });

  test('is refused with object, checkpoints and reasons where there is none, and goes on where it was when the file is back', async () => {
    const input = numbersInput();
    const program = countingJob(input, { ballast: 100_000 });
    const { retained, paths, putBack } = await begun(program, input);
    const refusal = world.start(program, { dataDir: 'data', retained: 2 });
    await expect(refusal).rejects.toMatchObject({ code: 'SLUICE-CHECKPOINTS-LOST', hint: expect.stringContaining('Nothing was changed') });
    const message = await refusal.catch(errorMessage);
    expect(message).toContain(`${paths[0]}: it is missing`);
    for (const id of retained) expect(message).toContain(`checkpoint ${id}: `);
    await putBack();
    const run = await world.start(program, { dataDir: 'data', retained: 2 });
    expect(run.running).toMatchObject({ origin: 'resumed', lost: [] });
    input.open(1);
    await run.finished();
    expectWhole(world.collect.published('all'));
  });
});
