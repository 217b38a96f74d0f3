/** A record that its sink cannot write is met before the commit, like any other that a function cannot deal with. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { createMetrics } from '../../lib/adapters/system/metrics.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { compileJob, defineJob, fileSink, fromCollection, noWatermarks, type CompiledJob } from '../../lib/index.ts';
import { runJob } from '../../lib/local/run-job.ts';
import type { JobFailure } from '../../lib/model/coordinator-message.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import { decodeValue } from '../../lib/model/value-json.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-unwritable-'));
});
afterEach(() => rm(root, { recursive: true }));

/** Record 3 becomes what `third` says. */
function counting(third: unknown): CompiledJob {
  const job = defineJob({
    name: 'counting',
    build(env) {
      env
        .fromSource(fromCollection([1, 2, 3, 4, 5]), { watermarks: noWatermarks() })
        .uid('numbers')
        .keyBy((n) => n)
        .reduce((first) => first)
        .uid('first')
        .map((n) => (n === 3 ? third : { n }))
        .uid('shape')
        .sinkTo(fileSink(join(root, 'out')))
        .uid('results');
    },
  });
  return compileJob(job);
}

async function run(program: CompiledJob): Promise<{ readonly record: JobRecord; readonly failure: JobFailure | null }> {
  const system = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger, metrics: createMetrics() };
  const running = await runJob({ ...system, program, dataDir: join(root, 'data'), checkpoint: defaultCheckpointSettings });
  try {
    const record = await running.ended;
    const bytes = record.failure === null ? undefined : await running.stores.objects.read(record.failure);
    return { record, failure: bytes === undefined ? null : (decodeValue(Buffer.from(bytes).toString()) as JobFailure) };
  } finally {
    await running.close();
  }
}

async function written(): Promise<string[]> {
  const names = (await readdir(join(root, 'out')).catch(() => [])).filter((name) => !name.startsWith('.'));
  const texts = await Promise.all(names.map((name) => readFile(join(root, 'out', name), 'utf8')));
  return texts.join('').trimEnd().split('\n').sort();
}

describe('a record that JSON cannot hold', () => {
  const cycle: Record<string, unknown> = { n: 3 };
  cycle['self'] = cycle;

  test.each<[string, unknown, string, string]>([
    ['a bigint', { n: 3n }, '.n', '3n'],
    ['a function', { n: 3, next: () => 4 }, '.next', '[Function: next]'],
    ['undefined itself', undefined, '', 'undefined'],
    ['a cycle', cycle, '.self', '[Circular'],
  ])('fails the job by name, and the corrected job goes on without loss: %s', async (_, third, path, shown) => {
    const { record, failure } = await run(counting(third));
    expect(record).toMatchObject({ status: 'FAILED', attempt: 1 });
    expect(failure).toMatchObject({
      code: 'SLUICE-SINK-RECORD-UNSUPPORTED',
      operator: 'results',
      facts: { operator: 'results', path: expect.stringContaining(path) as unknown, written: expect.stringContaining(shown) as unknown },
    });
    const repaired = await run(counting({ n: 3 }));
    expect(repaired.record).toMatchObject({ status: 'FINISHED' });
    expect(await written()).toEqual([1, 2, 3, 4, 5].map((n) => `{"n":${n}}`));
  });
});
