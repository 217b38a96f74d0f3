import { describe, expect, test } from 'vitest';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { createMemoryStores, type LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import { createMetrics } from '../../lib/adapters/system/metrics.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { createPortJobControl } from '../../lib/api/port-job-control.ts';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { collectSink, compileJob, defineJob, fromCollection, mapState, noWatermarks, type CompiledJob } from '../../lib/index.ts';
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

  test('where a function reads an entry of a map that it has not asked for, or asks for what it may not', async () => {
    const program = (request: readonly number[] | undefined): CompiledJob => {
      const job = defineJob({
        name: 'asking',
        build(env) {
          env
            .fromSource(fromCollection([1, 2, 3]))
            .uid('numbers')
            .keyBy(() => 'all')
            .process({
              state: { seen: mapState<number, number>({ load: 'by-entry' }) },
              entries: { process: (n) => ({ seen: n === 2 ? request! : [n] }) },
              process: (n, { state, emit }) => emit(state.seen.get(n)),
            })
            .uid('asking')
            .sinkTo(collectSink('all'))
            .uid('results');
        },
      });
      return compileJob(job);
    };
    expect(await failureOf(program([1]))).toMatchObject({
      code: 'SLUICE-ENTRY-NOT-DECLARED',
      operator: 'asking',
      facts: { state: 'seen', entry: '2', key: '"all"', record: '2' },
    });
    expect(await failureOf(program(5 as never))).toMatchObject({
      code: 'SLUICE-ENTRIES-INVALID',
      operator: 'asking',
      facts: { key: '"all"', record: '2' },
    });
  });
});
