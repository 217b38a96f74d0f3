/**
 * What the size of keyed state costs at two moments: a checkpoint in which 10,000 keys have changed, and the first record after a restore. Each of
 * 1,000,000 keys and of few; the ratio says whether it is flat.
 */
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

export interface CheckpointFigures {
  readonly p50: number;
  readonly p99: number;
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

/** Milliseconds of checkpoints under way; in memory where `dataDir` is not given. */
export async function measureCheckpoints(keys: number, dataDir?: string): Promise<CheckpointFigures> {
  const source = sourceOf(keys);
  const running = await start(source, 1, dataDir);
  source.gate = keys;
  await settled(running, keys);
  const figures = await checkpoints(running, source, keys);
  await running.close();
  return figures;
}

/** Milliseconds from opening the data directory under another plan to the first record of the new attempt. */
export async function measureRestore(keys: number, dataDir: string): Promise<number> {
  const source = sourceOf(keys);
  const first = await start(source, 1, dataDir);
  source.gate = keys;
  await settled(first, keys);
  await first.close();
  source.gate += 1;
  const startedAt = performance.now();
  const running = await start(source, 2, dataDir);
  while ((await recordsIn(running)) <= keys) await pause(1);
  const took = performance.now() - startedAt;
  await running.close();
  return took;
}

/** The first `keys` records touch every key once; later ones change `changedKeys` of them, spread over all. */
function sourceOf(keys: number): GatedSource {
  const step = Math.max(1, Math.floor(keys / changedKeys));
  return createGatedSource((record) => (record < keys ? record : ((record - keys) * step) % keys));
}

function start(source: GatedSource, generation: number, dataDir: string | undefined): Promise<RunningJob> {
  const local = createLocalConnectors();
  const program: CompiledJob = compileJob(job, { parameters: { generation: String(generation) } });
  return runJob({
    program,
    ...(dataDir === undefined ? {} : { dataDir }),
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
    if (record!.deltas.reduce((sum, { rows }) => sum + rows, 0) < limits.baseAdvanceRowsQuiet) break;
    await pause(20);
  }
  // One that needs no deltas.
  await checkpointed(running, records);
}

async function checkpoints(running: RunningJob, source: GatedSource, keys: number): Promise<CheckpointFigures> {
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

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
