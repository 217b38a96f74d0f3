import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCollectSink, type CollectSink } from '../../lib/adapters/connectors/collect-sink.ts';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { createMetrics } from '../../lib/adapters/system/metrics.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { stopWithSavepoint, takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import {
  boundedOutOfOrderness,
  collectSink,
  compileJob,
  defineJob,
  fromCollection,
  tumblingEventTime,
  valueState,
} from '../../lib/index.ts';
import { runJob, type RunningJob } from '../../lib/local/run-job.ts';
import type { OperationRecord } from '../../lib/ports/records.ts';

const count = 40_000;
/** Plain numbers: the plan holds the collection. */
const readings = Array.from({ length: count }, (_, value) => value);
const keyOf = (value: number): string => `k${(value * 7) % 97}`;

/** The whole engine, twice, on real stores: what the second run adds to the first must be as if there had been one. */
const counting = defineJob({
  name: 'counting',
  build(env) {
    const keyed = env
      .fromSource(fromCollection(readings), { watermarks: boundedOutOfOrderness(50, (value: number) => value * 10) })
      .uid('readings')
      .keyBy(keyOf);
    keyed
      .process({
        state: { total: valueState<number>() },
        process(value, { key, state, emit }) {
          const total = (state.total.value() ?? 0) + 1;
          state.total.update(total);
          emit({ key, total, value });
        },
      })
      .uid('totals')
      .sinkTo(collectSink('totals'))
      .uid('totals-sink');
    keyed
      .window(tumblingEventTime(60_000))
      .aggregate({ createAccumulator: () => 0, add: (_, sum: number) => sum + 1, getResult: (sum) => sum }, (sum, { key, window }) => ({
        key,
        start: window.start,
        sum,
      }))
      .uid('windows')
      .sinkTo(collectSink('windows'))
      .uid('windows-sink');
  },
});

let root = '';
let collect: CollectSink;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-go-on-'));
  collect = createCollectSink();
});
afterEach(() => rm(root, { recursive: true, force: true }));

function run(dataDir: string, parallelism: number, fromSavepoint?: string): Promise<RunningJob> {
  return runJob({
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    metrics: createMetrics(),
    logger: { log: () => undefined },
    program: compileJob(counting, { parallelism }),
    dataDir: join(root, dataDir),
    checkpoint: { ...defaultCheckpointSettings, intervalMs: 50 },
    connectors: createLocalConnectors({ collect }),
    ...(fromSavepoint === undefined ? {} : { fromSavepoint }),
  });
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function operationOf({ stores, job }: RunningJob, trigger: string): Promise<OperationRecord> {
  const operation = await until(async () => {
    const record = await stores.operations.read(job, trigger);
    return record?.status === 'COMPLETED' ? record : undefined;
  });
  expect(operation.failure).toBeNull();
  return operation;
}

function expectEverythingOnce(): void {
  const totals = collect.published('totals') as readonly { readonly key: string; readonly total: number; readonly value: number }[];
  expect(totals.map(({ value }) => value).sort((a, b) => a - b)).toEqual(readings);
  const highest = new Map<string, number>();
  for (const { key, total } of totals) highest.set(key, Math.max(highest.get(key) ?? 0, total));
  expect([...highest.values()].reduce((sum, total) => sum + total, 0)).toBe(count);
}

describe('a job goes on at another parallelism', () => {
  test.each([
    ['suspend', 2, 3],
    ['suspend', 3, 1],
    ['drain', 2, 1],
  ] as const)('from a savepoint that it was stopped with (%s, %i to %i)', async (stop, before, after) => {
    const first = await run('first', before);
    const trigger = systemRandom.hex(32);
    await stopWithSavepoint(first.engine.coordinator, { job: first.job, trigger, directory: root, stop });
    const { location } = await operationOf(first, trigger);
    expect((await first.ended).status).toBe('FINISHED');
    await first.close();
    const done = collect.published('totals').length;
    expect(done).toBeLessThan(count);
    const second = await run('second', after, location!);
    expect(second.origin).toBe('restored');
    expect((await second.ended).status).toBe('FINISHED');
    await second.close();
    expectEverythingOnce();
    const windows = collect.published('windows') as readonly { readonly key: string; readonly start: number; readonly sum: number }[];
    expect(windows.reduce((sum, window) => sum + window.sum, 0)).toBe(count);
    // A drain closes windows before their time; whoever suspends finds each window once.
    if (stop === 'suspend') expect(new Set(windows.map(({ key, start }) => `${key}/${start}`)).size).toBe(windows.length);
  });

  test('from a savepoint that was taken while it ran on, after it is gone', async () => {
    const first = await run('first', 2);
    const trigger = systemRandom.hex(32);
    await takeSavepoint(first.engine.coordinator, { job: first.job, trigger, directory: root });
    const { location } = await operationOf(first, trigger);
    await first.close();
    // What the first job made visible after the savepoint is not the second one's: it starts with an empty sink.
    collect = createCollectSink();
    const second = await run('second', 4, location!);
    expect((await second.ended).status).toBe('FINISHED');
    const { numbered } = (await second.stores.jobs.read(second.job))!;
    await second.close();
    expect(numbered).toBeGreaterThan(1);
    const values = (collect.published('totals') as readonly { readonly value: number }[]).map(({ value }) => value);
    expect(new Set(values).size).toBe(values.length);
    expect(values).toContain(count - 1);
  });

  test('from a checkpoint that its data directory has retained', async () => {
    const first = await run('first', 2);
    await until(async () => {
      const record = (await first.stores.jobs.read(first.job))!;
      return record.retained.length > 0 ? record : undefined;
    });
    await first.close();
    const second = await run('second', 1, join(root, 'first'));
    expect((await second.ended).status).toBe('FINISHED');
    await second.close();
    expectEverythingOnce();
  });
});
