/**
 * What the size of keyed state costs at two moments: a checkpoint in which 10,000 keys have changed, and the first record after a restore. Both with a
 * data directory, of 1,000,000 keys and of few; the ratio says whether it is flat.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalConnectors } from '../lib/adapters/connectors/local-connectors.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { systemRandom } from '../lib/adapters/system/random.ts';
import { systemTimers } from '../lib/adapters/system/timers.ts';
import { defaultCheckpointSettings } from '../lib/checkpoint/checkpoint-settings.ts';
import { limits } from '../lib/base/limits.ts';
import { compileJob, defineJob, discardingSink, memoryText, parameter, type, valueState, type CompiledJob } from '../lib/index.ts';
import { runJob, type RunningJob } from '../lib/local/run-job.ts';
import { createGatedSource, type GatedSource } from './gated-source.ts';

const changedKeys = 10_000;
const rounds = 100;

export interface StateFigures {
  readonly checkpointMs: { readonly p50: number; readonly p99: number };
  readonly restoreMs: number;
}

/** `generation` is a parameter only so that another plan hash asks for a restore. */
const job = defineJob({
  name: 'keyed-state',
  parameters: { generation: parameter.integer({ default: 1, description: 'plan generation' }) },
  build(env) {
    env
      .fromSource(memoryText<{ readonly key: number; readonly delay: number }>('gated'))
      .uid('records')
      .keyBy(({ key }) => key)
      .process({
        emits: type<number>(),
        state: { sum: valueState<{ readonly count: number; readonly sum: number }>() },
        process({ delay }, { state, emit }) {
          const { count, sum } = state.sum.value() ?? { count: 0, sum: 0 };
          state.sum.update({ count: count + 1, sum: sum + delay });
          emit(count);
        },
      })
      .uid('sums')
      .sinkTo(discardingSink())
      .uid('nowhere');
  },
});

export async function measureState(keys: number): Promise<StateFigures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    // The first `keys` records touch every key once; later ones change `changedKeys` of them, spread over all.
    const step = Math.max(1, Math.floor(keys / changedKeys));
    const source = createGatedSource((record) => (record < keys ? record : ((record - keys) * step) % keys));
    const first = await start(dataDir, source, 1);
    source.gate = keys;
    await settled(first, keys);
    const checkpointMs = await checkpoints(first, source, keys);
    await first.close();
    const restoreMs = await restore(dataDir, source);
    return { checkpointMs, restoreMs };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function start(dataDir: string, source: GatedSource, generation: number): Promise<RunningJob> {
  const local = createLocalConnectors();
  const program: CompiledJob = compileJob(job, { parameters: { generation: String(generation) } });
  return runJob({
    program,
    dataDir,
    connectors: { ...local, sources: { ...local.sources, 'memory-text': source } },
    checkpoint: { ...defaultCheckpointSettings, intervalMs: 100 },
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    logger: { log: () => undefined },
    metrics: { count: () => undefined, gauge: () => undefined },
  });
}

async function recordsIn({ stores, job: id }: RunningJob): Promise<number> {
  const attempt = (await stores.jobs.read(id))?.attempt;
  const record = await stores.shards.read({ job: id, uid: 'sums' as never, shard: 0 });
  return record === undefined || record.attempt !== attempt ? -1 : record.recordsIn;
}

/** All records are in, and a checkpoint has them. */
async function checkpointed(running: RunningJob, records: number): Promise<void> {
  for (;;) {
    await pause(5);
    const record = await running.stores.shards.read({ job: running.job, uid: 'sums' as never, shard: 0 });
    const jobRecord = await running.stores.jobs.read(running.job);
    if (record === undefined || jobRecord === undefined || record.recordsIn < records || record.dirty) continue;
    if (jobRecord.completed >= record.epoch - 1 && jobRecord.pending.length === 0) return;
  }
}

/** And the stream has been quiet long enough for the base to follow. */
async function settled(running: RunningJob, records: number): Promise<void> {
  await checkpointed(running, records);
  for (;;) {
    const record = await running.stores.shards.read({ job: running.job, uid: 'sums' as never, shard: 0 });
    if (record!.deltas.reduce((sum, { rows }) => sum + rows, 0) < limits.baseAdvanceRowsQuiet) return;
    await pause(20);
  }
}

async function checkpoints(running: RunningJob, source: GatedSource, keys: number): Promise<StateFigures['checkpointMs']> {
  for (let round = 1; round <= rounds; round++) {
    source.gate = keys + round * changedKeys;
    await checkpointed(running, source.gate);
  }
  const history = await running.stores.history.read(running.job);
  const took = history
    .flatMap((entry) => (entry.kind === 'checkpoint' && entry.failure === null ? [entry.endedAtMs - entry.triggeredAtMs] : []))
    .slice(-rounds)
    .sort((a, b) => a - b);
  await settled(running, source.gate);
  return { p50: took[took.length >> 1]!, p99: took[Math.ceil(took.length * 0.99) - 1]! };
}

/** From opening the data directory under another plan to the first record of the new attempt. */
async function restore(dataDir: string, source: GatedSource): Promise<number> {
  source.gate += 1;
  const startedAt = performance.now();
  const running = await start(dataDir, source, 2);
  const before = source.gate - 1;
  while ((await recordsIn(running)) <= before) await pause(1);
  const took = performance.now() - startedAt;
  await running.close();
  return took;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
