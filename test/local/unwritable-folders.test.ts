/** The disk is full, or something stands in the way: a job goes on when it can, or ends with what to do. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fileSteps } from '../../lib/adapters/connectors/file-steps.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import { createMetrics } from '../../lib/adapters/system/metrics.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import type { JobControl } from '../../lib/api/job-control.ts';
import { createPortJobControl } from '../../lib/api/port-job-control.ts';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { compileJob, defineJob, fromCollection, noWatermarks, recordsTo } from '../../lib/index.ts';
import { runJob, type RunningJob } from '../../lib/local/run-job.ts';

const system = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger, metrics: createMetrics() };

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'sluice-unwritable-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes 1, 2 and 3 to `out`. */
async function start(dataDir?: string): Promise<{ readonly running: RunningJob; readonly control: JobControl }> {
  const job = defineJob({
    name: 'writing',
    build: (env) =>
      void env
        .fromSource(fromCollection([1, 2, 3]), { watermarks: noWatermarks() })
        .uid('numbers')
        .map((n) => ({ n }))
        .sinkTo(recordsTo(join(folder, 'out')))
        .uid('files'),
  });
  const running = await runJob({
    ...system,
    program: compileJob(job),
    checkpoint: { ...defaultCheckpointSettings, intervalMs: 20 },
    ...(dataDir === undefined ? {} : { dataDir }),
  });
  const control = createPortJobControl({ deps: running.engine.coordinator, savepointDirectory: null, checkpointLocation: (key) => key });
  return { running, control };
}

const noSpace = (): Error => Object.assign(new Error('no space left'), { code: 'ENOSPC' });

describe('an output that cannot be written', () => {
  test('because the disk is full is shown while it is tried again, and the job goes on when there is room', async () => {
    const full = vi.spyOn(fileSteps, 'write').mockRejectedValue(noSpace());
    const { running, control } = await start();
    await vi.waitUntil(async () => (await control.problems(running.job)).length > 0);
    expect(await control.problems(running.job)).toMatchObject([
      { code: 'SLUICE-OUTPUT-FAILED', message: expect.stringContaining('no space left'), shard: 0 },
    ]);
    expect(await control.status(running.job)).toBe('RUNNING');
    full.mockRestore();
    expect((await running.ended).status).toBe('FINISHED');
    expect(await control.problems(running.job)).toEqual([]);
    await running.close();
    expect(readdirSync(join(folder, 'out'))).toHaveLength(1);
  });

  test('because it is a file ends the job, with the cause', async () => {
    writeFileSync(join(folder, 'out'), '');
    const { running, control } = await start();
    expect((await running.ended).status).toBe('FAILED');
    const failure = await control.failure(running.job);
    expect(failure).toMatchObject({ code: 'SLUICE-OUTPUT-FAILED', message: expect.stringContaining('EEXIST') });
    await running.close();
  });
});

describe('a data directory', () => {
  test('that cannot be written any more ends the run, and the next one goes on where it was', async () => {
    const handle = await open(join(folder, 'any'), 'w');
    const prototype = Object.getPrototypeOf(handle) as { datasync: () => Promise<void> };
    await handle.close();
    const data = join(folder, 'data');
    const { running } = await start(data);
    const full = vi.spyOn(prototype, 'datasync').mockRejectedValue(noSpace());
    const failed = { code: 'SLUICE-DATA-DIR-FAILED', message: expect.stringMatching(/the data directory .*no space left/) };
    await expect(running.ended).rejects.toMatchObject(failed);
    await expect(running.close()).rejects.toMatchObject(failed);
    full.mockRestore();
    const { running: again } = await start(data);
    expect((await again.ended).status).toBe('FINISHED');
    await again.close();
  });

  test('that can never be one is refused, and one that is full says so', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(start(join(folder, 'file', 'data'))).rejects.toMatchObject({ code: 'SLUICE-FOLDER-UNUSABLE' });
    const handle = await open(join(folder, 'any'), 'w');
    await handle.close();
    vi.spyOn(Object.getPrototypeOf(handle) as { datasync: () => Promise<void> }, 'datasync').mockRejectedValue(noSpace());
    await expect(start(join(folder, 'data'))).rejects.toMatchObject({ code: 'SLUICE-DATA-DIR-FAILED' });
  });
});
