/** `run` again on the same data directory, with something changed: what it is run with holds from now on. */
import { describe, expect, test } from 'vitest';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import { changeWhileRunning } from '../../lib/coordinator/change-settings.ts';
import { manifestKey } from '../../lib/model/object-keys.ts';
import { readPlan } from '../../lib/coordinator/coordinator-deps.ts';
import type { CheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { countingJob, expectWhole, numbersInput, type Counted } from '../scenarios/counting-job.ts';
import { until, useWorld, type Run } from '../scenarios/support.ts';

const world = useWorld();
async function settingsOf(run: Run): Promise<CheckpointSettings> {
  return (await readPlan(run.running.engine.coordinator, (await run.record()).plan)).settings;
}

const hourMs = 3_600_000;

describe('other checkpoint settings under the same plan', () => {
  test('hold from now on, also for the checkpoint that was waited for by the old interval, and nothing is restored', async () => {
    const input = numbersInput();
    const first = await world.start(countingJob(input), { dataDir: 'data', intervalMs: hourMs, retained: 3, code: 'a' });
    input.open(0.5);
    await first.untilRead('numbers', 1_000);
    expect((await first.record()).counts.completed).toBe(0);
    await first.close();
    const changed = { intervalMs: 20, timeoutMs: 5_000, minPauseMs: 1, tolerableFailures: 2, retained: 2, code: 'a' } as const;
    const second = await world.start(countingJob(input), { dataDir: 'data', ...changed });
    expect(second.running).toMatchObject({ origin: 'resumed', restoredFrom: null });
    expect(second.running.sinceLastRun).toEqual({
      plan: false,
      code: null,
      settings: [
        { setting: 'intervalMs', from: hourMs, to: 20 },
        { setting: 'timeoutMs', from: 600_000, to: 5_000 },
        { setting: 'minPauseMs', from: 0, to: 1 },
        { setting: 'tolerableFailures', from: 0, to: 2 },
        { setting: 'retained', from: 3, to: 2 },
      ],
    });
    expect(await settingsOf(second)).toMatchObject({ intervalMs: 20, timeoutMs: 5_000, tolerableFailures: 2, retained: 2 });
    await until(async () => (await second.record()).counts.completed > 0);
    input.open(1);
    expect(await second.finished()).toMatchObject({ attempt: 1, counts: { restored: 0 } });
    expectWhole(world.collect.published('all'));
  });

  test('may be longer too', async () => {
    const input = numbersInput();
    const first = await world.start(countingJob(input), { dataDir: 'data' });
    await first.checkpointAfter(() => input.open(0.5));
    await first.untilRead('numbers', 1_000);
    await first.settled();
    await first.close();
    const second = await world.start(countingJob(input), { dataDir: 'data', intervalMs: hourMs });
    const { completed } = (await second.record()).counts;
    input.open(0.9);
    await second.untilRead('numbers', 1_800);
    expect((await second.record()).counts.completed).toBe(completed);
    input.open(1);
    await second.finished();
    expectWhole(world.collect.published('all'));
  });

  test('and so may the mode: the checkpoint that is pending ends as it began, and none is half of each', async () => {
    const input = numbersInput();
    const first = await world.start(countingJob(input), { dataDir: 'data', retained: 4 });
    await first.checkpointAfter(() => input.open(0.5));
    await first.close();
    const second = await world.start(countingJob(input), { dataDir: 'data', mode: 'at-least-once', retained: 4 });
    expect(second.running).toMatchObject({ origin: 'resumed', restoredFrom: null });
    expect(second.running.sinceLastRun.settings).toContainEqual({ setting: 'mode', from: 'exactly-once', to: 'at-least-once' });
    expect((await settingsOf(second)).mode).toBe('at-least-once');
    input.open(1);
    const { completed, attempt } = await second.finished();
    expect(attempt).toBe(1);
    expectWhole(world.collect.published('all'));
    const key = manifestKey(second.running.job, 1, completed);
    expect(decodeManifest((await second.running.stores.objects.read(key))!, key).mode).toBe('at-least-once');
  });

  test('stay as they were changed while it ran, where it is run with what it was run with before', async () => {
    const input = numbersInput();
    const first = await world.start(countingJob(input), { dataDir: 'data', retained: 3 });
    const slower = (settings: CheckpointSettings): CheckpointSettings => ({ ...settings, intervalMs: 50, minPauseMs: 7 });
    await changeWhileRunning(first.running.engine.coordinator, first.running.job, slower);
    await first.close();
    const second = await world.start(countingJob(input), { dataDir: 'data', retained: 3 });
    expect(second.running.sinceLastRun.settings).toEqual([]);
    expect(await settingsOf(second)).toMatchObject({ intervalMs: 50, minPauseMs: 7, retained: 3 });
    await second.close();
    const third = await world.start(countingJob(input), { dataDir: 'data', retained: 2, intervalMs: 30, code: 'other' });
    expect(third.running.sinceLastRun.settings).toEqual([
      { setting: 'intervalMs', from: 50, to: 30 },
      { setting: 'retained', from: 3, to: 2 },
    ]);
    expect(await settingsOf(third)).toMatchObject({ intervalMs: 30, minPauseMs: 7, retained: 2 });
    input.open(1);
    await third.finished();
    expectWhole(world.collect.published('all'));
  });
});

describe('other code under the same plan', () => {
  test('goes on from the newest checkpoint: what is on its way between operators was made by the old code', async () => {
    const input = numbersInput();
    const first = await world.start(countingJob(input), { dataDir: 'data', code: 'one' });
    await first.checkpointAfter(() => input.open(0.5));
    await first.close();
    const second = await world.start(countingJob(input, { sign: -1 }), { dataDir: 'data', code: 'two' });
    const { restoredFrom, origin, sinceLastRun } = second.running;
    expect([origin, sinceLastRun.code]).toEqual(['restored', { from: 'one', to: 'two' }]);
    expect(restoredFrom).toBeGreaterThan(0);
    const before = (world.collect.published('all') as Counted[]).length;
    input.open(1);
    expect(await second.finished()).toMatchObject({ attempt: 2 });
    expectWhole(world.collect.published('all'));
    const counts = (world.collect.published('all') as Counted[]).map(({ count }) => Math.sign(count));
    expect(new Set(counts.slice(0, before))).toEqual(new Set([1]));
    expect(new Set(counts.slice(before))).toEqual(new Set([-1]));
    const third = await world.start(countingJob(input, { sign: -1 }), { dataDir: 'data', code: 'two' });
    expect(third.running).toMatchObject({ origin: 'ended-before' });
  });

  test('is learnt where it was not known, and only the next change counts', async () => {
    const input = numbersInput();
    const codes = [undefined, 'one', undefined, 'one', 'two'];
    const origins: string[] = [];
    for (const code of codes) {
      const run = await world.start(countingJob(input), { dataDir: 'data', ...(code === undefined ? {} : { code }) });
      origins.push(run.running.origin);
      await run.close();
    }
    expect(origins).toEqual(['started', 'resumed', 'resumed', 'resumed', 'restored']);
  });
});
