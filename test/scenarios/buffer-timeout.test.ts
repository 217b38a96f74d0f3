/** Records that linger for a full message, in the whole engine: they come when the timeout is over, whoever is there then, and they cost fewer messages. */
import { expect, test } from 'vitest';
import { createMemoryStores, type LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import { collectSink, compileJob, defineJob, tumblingEventTime, monotonousTimestamps, type CompiledJob } from '../../lib/index.ts';
import { gatedInput, until, useWorld, type GatedInput, type Run } from './support.ts';

interface Reading {
  readonly key: number;
  readonly at: number;
}

const readings = Array.from({ length: 600 }, (_, i): Reading => ({ key: i % 7, at: i * 10 }));
const world = useWorld();
/** What user code behind the exchange has met, and when. */
let met: { readonly at: number; readonly whenMs: number }[] = [];

function compile({ source }: GatedInput<Reading>, bufferTimeoutMs: number, parallelism = 2): CompiledJob {
  met = [];
  const job = defineJob({
    name: 'lingering',
    build(env) {
      env.setBufferTimeout(bufferTimeoutMs);
      env
        .fromSource(source, { watermarks: monotonousTimestamps(({ at }) => at) })
        .uid('readings')
        .rebalance()
        .map((reading) => {
          met.push({ at: reading.at, whenMs: performance.now() });
          return reading;
        })
        .uid('met')
        .keyBy(({ key }) => key)
        .window(tumblingEventTime(1_000))
        .aggregate(
          { createAccumulator: () => 0, add: (_reading, count) => count + 1, getResult: (count) => count },
          (count, { key, window }) => ({ key, start: window.start, count }),
        )
        .uid('windows')
        .sinkTo(collectSink('windows'))
        .uid('sink');
    },
  });
  return compileJob(job, { parallelism });
}

function expectedWindows(): string[] {
  const counts = new Map<string, { key: number; start: number; count: number }>();
  for (const { key, at } of readings) {
    const start = at - (at % 1_000);
    const id = `${key}/${start}`;
    counts.set(id, { key, start, count: (counts.get(id)?.count ?? 0) + 1 });
  }
  return [...counts.values()].map((window) => JSON.stringify(window)).sort();
}

const windows = (): string[] =>
  world.collect
    .published('windows')
    .map((window) => JSON.stringify(window))
    .sort();

async function lingers(run: Run, uid: string): Promise<boolean> {
  const record = await run.running.stores.shards.read({ job: run.running.job, uid: operatorUid(uid), shard: 0 });
  return (record?.lingering ?? []).some(({ records }) => records > 0);
}

test('where the input pauses, records come when the buffer timeout is over, without a checkpoint', async () => {
  const input = gatedInput('readings', [readings]);
  const run = await world.start(compile(input, 300), { intervalMs: 3_600_000 });
  const openedMs = performance.now();
  input.open(0.1);
  await until(async () => met.length === 60);
  expect(met[0]!.whenMs - openedMs).toBeGreaterThan(290);
  expect((await run.record()).counts.completed).toBe(0);
  input.open(1);
  await run.finished();
  expect(windows()).toEqual(expectedWindows());
});

test('what lingers when the process ends is found by the next one, which needs no checkpoint for it', async () => {
  const input = gatedInput('readings', [readings]);
  const compiled = compile(input, 1_000);
  const first = await world.start(compiled, { dataDir: 'data', intervalMs: 3_600_000 });
  input.open(0.5);
  await first.untilRead('readings', 300);
  await until(() => lingers(first, 'readings'));
  await first.close();
  expect(met).toEqual([]);
  const second = await world.start(compiled, { dataDir: 'data', intervalMs: 3_600_000 });
  await until(async () => met.length === 300);
  expect((await second.record()).counts.completed).toBe(0);
  input.open(1);
  await second.finished();
  expect(windows()).toEqual(expectedWindows());
  expect(met.map(({ at }) => at).sort((a, b) => a - b)).toEqual(readings.map(({ at }) => at));
});

test.each(['restore', 'savepoint'] as const)('a barrier takes it along: nothing is lost or doubled by a %s', async (how) => {
  const input = gatedInput('readings', [readings], 20);
  let run = await world.start(compile(input, 10_000), { dataDir: 'a' });
  await run.twoCheckpoints([input], 0.4);
  input.open(0.7);
  await run.untilRead('readings', 420);
  if (how === 'restore') await run.restore();
  else run = await world.start(compile(input, 50, 3), { dataDir: 'b', fromSavepoint: await run.stop('suspend') });
  input.open(1);
  await run.finished();
  expect(windows()).toEqual(expectedWindows());
});

test('many small commits make few messages', async () => {
  const count = async (bufferTimeoutMs: number): Promise<number> => {
    world.emptySinks();
    const input = gatedInput('readings', [readings], 3, 1);
    const stores = createMemoryStores({ clock: systemClock, timers: systemTimers, random: systemRandom });
    let messages = 0;
    const queue: LocalStores['queue'] = new Proxy(stores.queue, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return (...parameters: unknown[]) => {
          if (property === 'sendBatch') messages += (parameters[1] as readonly unknown[]).length;
          return Reflect.apply(value, target, parameters) as unknown;
        };
      },
    });
    const run = await world.start(compile(input, bufferTimeoutMs, 4), { stores: { ...stores, queue }, intervalMs: 3_600_000 });
    input.open(1);
    await run.finished();
    expect(windows()).toEqual(expectedWindows());
    return messages;
  };
  const prompt = await count(0);
  const lingering = await count(200);
  console.log(`messages for 600 records in commits of 3: ${prompt} at once, ${lingering} with a buffer timeout of 200 ms`);
  expect(lingering * 2).toBeLessThan(prompt);
});
