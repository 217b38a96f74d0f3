import { join } from 'node:path';
import { expect } from 'vitest';
import { requestCancel } from '../../lib/coordinator/cancel-job.ts';
import { collectSink, compileJob, defineJob, type, valueState, type CompiledJob } from '../../lib/index.ts';
import type { JobRecord, RetainedCheckpoint } from '../../lib/model/job-record.ts';
import { scenario } from './scenario.ts';
import { gatedInput, useWorld, type Run, type StartOptions } from './support.ts';

interface Count {
  readonly key: number;
  readonly count: number;
}

const keys = 40;
const perKey = 200;
const input = gatedInput('numbers', [Array.from({ length: keys * perKey }, (_, n) => n)], 60);

const world = useWorld();

function counts(parallelism: number): CompiledJob {
  const job = defineJob({
    name: 'counts',
    build(env) {
      env
        .fromSource(input.source)
        .uid('numbers')
        .keyBy((n) => n % keys)
        .process({
          emits: type<Count>(),
          state: { count: valueState<number>() },
          process(_n, { key, state, emit }) {
            state.count.update((state.count.value() ?? 0) + 1);
            emit({ key, count: state.count.value()! });
          },
        })
        .uid('counts')
        .sinkTo(collectSink('counts'))
        .uid('results');
    },
  });
  return compileJob(job, { parallelism });
}

async function cancel(run: Run): Promise<JobRecord> {
  await requestCancel(run.running.engine.coordinator, run.running.job);
  return run.canceled();
}

/** Two checkpoints come after what the job before can have read; then, in the middle of some more, the job is canceled. */
async function startAndCancel(parallelism: number, share: number, options: StartOptions): Promise<JobRecord> {
  const run = await world.start(counts(parallelism), options);
  await run.checkpointAfter(() => input.open(share - 0.05));
  await run.checkpointAfter(() => input.open(share));
  input.open(share + 0.1);
  return cancel(run);
}

const manifestPath = (dataDir: string, { manifest }: RetainedCheckpoint): string => join(world.folder, dataDir, manifest);

function expectEveryCountOnce(): void {
  const visible = world.collect.published('counts') as readonly Count[];
  const expected = Array.from({ length: keys }, (_, key) => Array.from({ length: perKey }, (__, i) => ({ key, count: i + 1 }))).flat();
  expect(visible.toSorted((a, b) => a.key - b.key || a.count - b.count)).toEqual(expected);
}

scenario(19, 'three jobs in a row go on from the checkpoint that the canceled one before has retained', async () => {
  input.open(0);
  const keep = { retentionOnCancellation: 'retain' } as const;
  // Named by the data directory, whose newest checkpoint is meant, and by its own path in turn.
  await startAndCancel(2, 0.2, { ...keep, dataDir: 'first' });
  const second = await startAndCancel(3, 0.4, { ...keep, dataDir: 'second', fromSavepoint: join(world.folder, 'first') });
  const fromSavepoint = manifestPath('second', second.retained.at(-1)!);
  await startAndCancel(1, 0.6, { ...keep, dataDir: 'third', fromSavepoint });
  const last = await world.start(counts(2), { dataDir: 'fourth', fromSavepoint: join(world.folder, 'third') });
  input.open(1);
  await last.finished();
  expectEveryCountOnce();
});

scenario(19, 'where cancelling deletes, nothing is left to go on from', async () => {
  input.open(0);
  const { retained } = await startAndCancel(2, 0.4, { dataDir: 'first', retentionOnCancellation: 'delete' });
  expect(retained).toEqual([]);
  await expect(world.start(counts(2), { dataDir: 'second', fromSavepoint: join(world.folder, 'first') })).rejects.toMatchObject({
    code: 'SLUICE-SAVEPOINT-MISSING',
    message: expect.stringContaining('has no retained checkpoint') as string,
  });
});

scenario(19, 'as many checkpoints are kept as was said, and the oldest of them serves as well', async () => {
  input.open(0);
  const run = await world.start(counts(2), { dataDir: 'first', retained: 3, retentionOnCancellation: 'retain' });
  for (const share of [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) {
    await run.checkpointAfter(() => input.open(share));
    const { retained, completed } = await run.record();
    expect(retained.length).toBeLessThanOrEqual(3);
    expect(retained.at(-1)?.id).toBe(completed);
  }
  const { retained } = await cancel(run);
  expect(retained).toHaveLength(3);
  // What was visible before is of another history now.
  world.emptySinks();
  const again = await world.start(counts(2), { dataDir: 'second', fromSavepoint: manifestPath('first', retained[0]!) });
  input.open(1);
  await again.finished();
  const visible = world.collect.published('counts') as readonly Count[];
  for (let key = 0; key < keys; key++) {
    const found = visible.flatMap((count) => (count.key === key ? [count.count] : [])).toSorted((a, b) => a - b);
    expect(found).toEqual(Array.from({ length: found.length }, (_, i) => perKey - found.length + 1 + i));
    expect(found.length).toBeGreaterThan(perKey * 0.3);
  }
});
