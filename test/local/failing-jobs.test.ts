import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fileSteps } from '../../lib/adapters/connectors/file-steps.ts';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { createMemoryStores, type LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import { createMetrics } from '../../lib/adapters/system/metrics.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { createPortJobControl } from '../../lib/api/port-job-control.ts';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { collectSink, compileJob, defineJob, fromCollection, noWatermarks, recordsTo, type CompiledJob } from '../../lib/index.ts';
import { runJob } from '../../lib/local/run-job.ts';
import { readMessage } from '../../lib/model/envelope-codec.ts';
import type { JobFailure } from '../../lib/model/coordinator-message.ts';

const system = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger, metrics: createMetrics() };

function counting(textOf: (n: number) => string): CompiledJob {
  const job = defineJob({
    name: 'counting',
    build(env) {
      env
        .fromSource(fromCollection([1, 2, 3]), { watermarks: noWatermarks() })
        .uid('numbers')
        .map((n) => ({ n, text: textOf(n) }))
        .uid('texts')
        .keyBy(({ n }) => n)
        .reduce((first) => first)
        .uid('first')
        .sinkTo(collectSink('all'))
        .uid('results');
    },
  });
  return compileJob(job);
}

async function failureOf(program: CompiledJob, stores: LocalStores = createMemoryStores(system)): Promise<JobFailure | null | undefined> {
  const running = await runJob({ ...system, program, stores, connectors: createLocalConnectors(), checkpoint: defaultCheckpointSettings });
  try {
    const ended = await running.ended;
    const deps = running.engine.coordinator;
    const control = createPortJobControl({ deps, savepointDirectory: null, checkpointLocation: (key) => key });
    return ended.status === 'FAILED' ? await control.failure(running.job) : null;
  } finally {
    await running.close();
  }
}

/** A queue that says it has taken the first data envelope of every channel, and never delivers it. */
function losing(stores: LocalStores): LocalStores {
  const { queue } = stores;
  const sendBatch: LocalStores['queue']['sendBatch'] = async (name, messages) => {
    const kept = messages.filter(({ body }) => {
      if (name.endsWith('/#coordinator')) return true;
      const message = readMessage(body);
      return message.kind !== 'data' || message.header.sequence > 1;
    });
    if (kept.length > 0) await queue.sendBatch(name, kept);
    return messages.map(() => true);
  };
  const lossy: LocalStores['queue'] = {
    sendBatch,
    depth: (name) => queue.depth(name),
    receive: (name, options) => queue.receive(name, options),
    deleteBatch: (name, receipts) => queue.deleteBatch(name, receipts),
    changeVisibility: (name, receipts, visibilityMs) => queue.changeVisibility(name, receipts, visibilityMs),
  };
  return { ...stores, queue: lossy, durable: () => stores.durable(), close: () => stores.close() };
}

/** Writes 1, 2 and 3 to `output`. */
function writing(output: string): CompiledJob {
  const job = defineJob({
    name: 'writing',
    build: (env) =>
      void env
        .fromSource(fromCollection([1, 2, 3]), { watermarks: noWatermarks() })
        .uid('numbers')
        .map((n) => ({ n }))
        .sinkTo(recordsTo(output))
        .uid('files'),
  });
  return compileJob(job);
}

describe('an output that cannot be written', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'sluice-output-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  test('because the disk is full is shown while it is tried again, and the job goes on when there is room', async () => {
    const full = vi.spyOn(fileSteps, 'write').mockRejectedValue(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
    const running = await runJob({
      ...system,
      program: writing(join(folder, 'out')),
      stores: createMemoryStores(system),
      checkpoint: { ...defaultCheckpointSettings, intervalMs: 20 },
    });
    const control = createPortJobControl({
      deps: running.engine.coordinator,
      savepointDirectory: null,
      checkpointLocation: (key) => key,
    });
    await vi.waitUntil(async () => (await control.problems(running.job)).length > 0);
    expect(await control.problems(running.job)).toMatchObject([
      { code: 'SLUICE-OUTPUT-FAILED', message: expect.stringContaining('no space left'), operator: 'numbers', shard: 0 },
    ]);
    expect(await control.status(running.job)).toBe('RUNNING');
    full.mockRestore();
    expect((await running.ended).status).toBe('FINISHED');
    expect(await control.problems(running.job)).toEqual([]);
    await running.close();
    expect(readdirSync(join(folder, 'out'))).toHaveLength(1);
  });

  test('because it is a file ends the job', async () => {
    writeFileSync(join(folder, 'out'), '');
    const failure = await failureOf(writing(join(folder, 'out')));
    expect(failure).toMatchObject({ code: 'SLUICE-OUTPUT-FAILED', operator: 'numbers', message: expect.stringContaining('EEXIST') });
  });
});

test('a run whose data directory cannot be written any more ends, and goes on where it was when it can', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-full-'));
  const handle = await open(join(folder, 'any'), 'w');
  const prototype = Object.getPrototypeOf(handle) as { datasync: () => Promise<void> };
  await handle.close();
  const run = () =>
    runJob({ ...system, program: writing(join(folder, 'out')), dataDir: join(folder, 'data'), checkpoint: defaultCheckpointSettings });
  const running = await run();
  const full = vi.spyOn(prototype, 'datasync').mockRejectedValue(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  const failed = { code: 'SLUICE-DATA-DIR-FAILED', message: expect.stringMatching(/the data directory .*no space left/) };
  await expect(running.ended).rejects.toMatchObject(failed);
  await expect(running.close()).rejects.toMatchObject(failed);
  full.mockRestore();
  const again = await run();
  expect((await again.ended).status).toBe('FINISHED');
  await again.close();
  rmSync(folder, { recursive: true });
});

describe('a job fails loudly, with code, operator and shard', () => {
  test('where nothing is wrong it does not', async () => {
    expect(await failureOf(counting(() => 'x'))).toBeNull();
  });

  test('where a record is larger than can be sent', async () => {
    const failure = await failureOf(counting((n) => 'x'.repeat(n === 2 ? 9_000_000 : 1)));
    expect(failure).toMatchObject({ code: 'SLUICE-RECORD-TOO-LARGE', operator: 'numbers', shard: 0, facts: { bytes: expect.any(Number) } });
  });

  test('where a message between two shards is lost', async () => {
    const failure = await failureOf(
      counting(() => 'x'),
      losing(createMemoryStores(system)),
    );
    expect(failure).toMatchObject({ code: 'SLUICE-CHANNEL-GAP', operator: 'first', facts: { last: 0 } });
  });
});
