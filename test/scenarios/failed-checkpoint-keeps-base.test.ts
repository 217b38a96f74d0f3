import { expect } from 'vitest';
import { createMemoryStores, type LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import {
  collectSink,
  compileJob,
  defineJob,
  monotonousTimestamps,
  SluiceError,
  type,
  valueState,
  type CompiledJob,
} from '../../lib/index.ts';
import { scenario } from './scenario.ts';
import { gatedInput, until, useWorld, type Run } from './support.ts';

const keys = 50;
const perKey = 200;
const input = gatedInput('numbers', [Array.from({ length: keys * perKey }, (_, n) => n)], 100);
const endOfTime = 1_000_000;

const world = useWorld();

/** Sums by key, which are said when event time ends. */
function sums(): CompiledJob {
  const job = defineJob({
    name: 'sums',
    build(env) {
      env
        .fromSource(input.source, { watermarks: monotonousTimestamps((n) => n) })
        .uid('numbers')
        .keyBy((n) => n % keys)
        .process({
          emits: type<unknown>(),
          state: { count: valueState<number>(), sum: valueState<number>() },
          process(n, { state, timers }) {
            state.count.update((state.count.value() ?? 0) + 1);
            state.sum.update((state.sum.value() ?? 0) + n);
            timers.registerEventTime(endOfTime);
          },
          onTimer: (_, { key, state, emit }) => emit({ key, count: state.count.value(), sum: state.sum.value() }),
        })
        .uid('sums')
        .sinkTo(collectSink('sums'))
        .uid('results');
    },
  });
  return compileJob(job, { parallelism: 2 });
}

/** The next manifest cannot be written, once: all shards have uploaded and acknowledged by then. */
function withFailingManifest(): { readonly stores: LocalStores; readonly failNext: () => void; readonly failed: () => boolean } {
  const stores = createMemoryStores({ clock: systemClock, timers: systemTimers, random: systemRandom });
  let state: 'calm' | 'armed' | 'failed' = 'calm';
  const createIfAbsent: LocalStores['objects']['createIfAbsent'] = async (key, bytes) => {
    if (state === 'armed' && key.includes('/manifests/')) {
      state = 'failed';
      throw new SluiceError('SLUICE-REFUSED', 'this manifest cannot be written', { hint: 'Fail.', facts: { key } });
    }
    return stores.objects.createIfAbsent(key, bytes);
  };
  const { objects } = stores;
  const failing = {
    createIfAbsent,
    read: objects.read.bind(objects),
    list: objects.list.bind(objects),
    remove: objects.remove.bind(objects),
  };
  return { stores: { ...stores, objects: failing }, failNext: () => (state = 'armed'), failed: () => state === 'failed' };
}

const objectKeys = async ({ running: { stores, job } }: Run): Promise<readonly string[]> =>
  (await stores.objects.list(`jobs/${job}/`)).map(({ key }) => key);

/** Every object that a manifest names, itself included. */
async function namedBy({ running: { stores } }: Run, manifest: string): Promise<readonly string[]> {
  const text = Buffer.from((await stores.objects.read(manifest))!).toString();
  return [manifest, ...[...text.matchAll(/"(jobs\/[^"]+)"/g)].map(([, key]) => key!)];
}

scenario(18, 'what a checkpoint uploaded that failed goes, all that the last good one needs stays', async () => {
  input.open(0);
  const { stores, failNext, failed } = withFailingManifest();
  const run = await world.start(sums(), { stores, intervalMs: 100, retained: 16 });
  await run.twoCheckpoints([input], 0.4);
  failNext();
  input.open(0.5);
  await until(async () => failed());
  const { retained } = await run.record();
  const good = retained.at(-1)!;
  const needed = await namedBy(run, good.manifest);
  expect(needed.some((key) => key.includes('/deltas/'))).toBe(true);
  const named = new Set((await Promise.all(retained.map(({ manifest }) => namedBy(run, manifest)))).flat());
  const uploaded = (await objectKeys(run)).filter((key) => key.includes('/deltas/') && !named.has(key));
  expect(uploaded).not.toEqual([]);

  // None is borne: the job goes back to the last good one by itself, and the collector comes by as checkpoints complete.
  await until(async () => (await run.record()).attempt === 2);
  let left = await objectKeys(run);
  for (let share = 0.5; uploaded.some((key) => left.includes(key)); share += 0.01) {
    await run.checkpointAfter(() => input.open(share));
    left = await objectKeys(run);
  }
  expect(needed.filter((key) => !left.includes(key))).toEqual([]);

  await run.restore(good.id);
  const history = await stores.history.read(run.running.job);
  expect(history.filter(({ kind }) => kind === 'restore')).toMatchObject([
    { id: 2, checkpoint: good.id },
    { id: 3, checkpoint: good.id },
  ]);
  input.open(1);
  await run.finished();
  const expected = Array.from({ length: keys }, (_, key) => ({
    key,
    count: perKey,
    sum: perKey * key + (keys * perKey * (perKey - 1)) / 2,
  }));
  const found = world.collect.published('sums') as readonly { readonly key: number }[];
  expect(found.toSorted((a, b) => a.key - b.key)).toEqual(expected);
});
