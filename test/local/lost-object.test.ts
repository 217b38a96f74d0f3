/** Somebody deletes objects under the running engine. */
import { describe, expect, test } from 'vitest';
import { operatorUid } from '../../lib/base/ids.ts';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import {
  accumulatorSink,
  collectSink,
  compileJob,
  defineJob,
  noWatermarks,
  valueState,
  type CompiledJob,
  type Sink,
} from '../../lib/index.ts';
import { jobPrefix } from '../../lib/model/object-keys.ts';
import { decodeValue } from '../../lib/model/value-json.ts';
import { Fault, gatedInput, until, useWorld, type GatedInput, type Run } from '../scenarios/support.ts';

const world = useWorld();
const numbers = Array.from({ length: 2_000 }, (_, n) => n);
/** Numbers 0 … 1,999 of seven keys, each with its place among those of its key. */
const placesSum = numbers.reduce((sum, n) => sum + Math.floor(n / 7) + 1, 0);
let inputs = 0;

function counting(input: GatedInput<number>, fault: Fault, sink: Sink<unknown>): CompiledJob {
  const job = defineJob({
    name: 'counting',
    build(env) {
      env
        .fromSource(input.source, { watermarks: noWatermarks() })
        .uid('numbers')
        .keyBy((n) => n % 7)
        .process({
          state: { count: valueState<number>() },
          process(n, { state, emit }) {
            fault.meet();
            const count = (state.count.value() ?? 0) + 1;
            state.count.update(count);
            emit({ n, count });
          },
        })
        .uid('count')
        .rebalance()
        .sinkTo(sink)
        .uid('results');
    },
  });
  return compileJob(job);
}

const newInput = (): GatedInput<number> => gatedInput(`lost-${inputs++}`, [numbers]);
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

describe('the running engine', () => {
  test('begins anew where segments are gone before the first checkpoint, and the output is exact', async () => {
    const [input, fault] = [newInput(), new Fault()];
    const run = await world.start(counting(input, fault, collectSink('all')), { intervalMs: 3_600_000 });
    input.open(0.5);
    await run.untilRead('numbers', 1_000);
    await run.untilRead('count', 1_000);
    expect(await remove(run, (key) => key.includes('/segments/count/'))).not.toEqual([]);
    failOnce(fault);
    input.open(0.9);
    await until(async () => (await run.record()).attempt === 2);
    input.open(1);
    expect(await run.finished()).toMatchObject({ attempt: 2, counts: { restored: 1 } });
    const shown = world.collect.published('all') as { readonly n: number; readonly count: number }[];
    expect(shown.map(({ n }) => n).sort((a, b) => a - b)).toEqual(numbers);
    for (const { n, count } of shown) expect(count).toBe(Math.floor(n / 7) + 1);
  });

  test('goes back to the older checkpoint where the newest has lost its state, and the total is exact', async () => {
    const [input, fault] = [newInput(), new Fault()];
    const run = await world.start(counting(input, fault, adding()), { retained: 2 });
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
    const { job, stores } = run.running;
    const record = (await run.running.ended) && (await stores.shards.read({ job, uid: operatorUid('results'), shard: 0 }));
    expect(record!.operatorStates[operatorUid('results')]).toMatchObject({ accumulator: { items: [String(placesSum)] } });
    expect(await run.finished()).toMatchObject({ attempt: 2, counts: { restored: 1 } });
  });

  test('ends with a cause that names object and checkpoints where sinks would show the same twice', async () => {
    const [input, fault] = [newInput(), new Fault()];
    const run = await world.start(counting(input, fault, collectSink('all')), { retained: 2 });
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
