/** The sinks for DynamoDB and SQS in the whole engine, on services in the process. */
import { describe, expect, test } from 'vitest';
import { withAwsSinks } from '../../lib/adapters/connectors/aws-sinks.ts';
import { createFileStores } from '../../lib/adapters/fs/file-stores.ts';
import type { LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { createPortJobControl } from '../../lib/api/port-job-control.ts';
import { compileJob, defineJob, dynamoDbSink, fromCollection, sqsSink, type CompiledJob, type Source } from '../../lib/index.ts';
import { consumer, rowsOf, sinkWorld } from '../adapters/connectors/sink-world.ts';
import { gatedInput, useWorld, type Run } from '../scenarios/support.ts';

const world = useWorld();
const queue = 'https://sqs.eu-west-1.amazonaws.com/000000000000/changes.fifo';

interface Change {
  readonly id: string;
  readonly n: number;
  readonly text?: string;
  readonly gone?: boolean;
}

const changes: readonly Change[] = Array.from({ length: 1_200 }, (_, n) => ({
  id: `k${(n * 7) % 41}`,
  n,
  ...(n % 13 === 0 ? { gone: true } : {}),
}));

/** Both sinks, each dealt out by its own key. */
function program(source: Source<Change>, parallelism = 2): CompiledJob {
  const build = (env: Parameters<Parameters<typeof defineJob>[0]['build']>[0]): void => {
    const all = env.fromSource(source).uid('changes');
    all.sinkTo(dynamoDbSink<Change>({ table: 'rows', key: 'id', deletes: ({ gone }) => gone === true })).uid('rows').onError('dead-letter'); // prettier-ignore
    all
      .sinkTo(sqsSink<Change>({ queue, groupBy: ({ id }) => id }))
      .uid('messages')
      .onError('dead-letter');
  };
  return compileJob(defineJob({ name: 'changes', build }), { parallelism });
}

/** As the source's split is read: the last change of each key counts. */
function rowsAfter(of: readonly Change[]): unknown[] {
  const last = new Map(of.map((change) => [change.id, change]));
  return [...last.values()].filter(({ gone }) => gone !== true).sort((a, b) => (a.id < b.id ? -1 : 1));
}

const sorted = (rows: readonly Record<string, unknown>[]): unknown[] =>
  [...rows].sort((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1));

async function received(of: ReturnType<typeof sinkWorld>): Promise<Map<string, number[]>> {
  const messages = await consumer(of, queue)();
  return messagesOf(messages.map(({ body }) => JSON.parse(body) as Change));
}

function messagesOf(of: readonly Change[]): Map<string, number[]> {
  const byGroup = new Map<string, number[]>();
  for (const { id, n } of of) byGroup.set(id, [...(byGroup.get(id) ?? []), n]);
  return byGroup;
}

async function storesIn(dataDir: string): Promise<LocalStores> {
  const directory = `${world.folder}/${dataDir}`;
  return createFileStores({ directory, clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger });
}

async function start(of: ReturnType<typeof sinkWorld>, job: CompiledJob, dataDir: string, fromSavepoint?: string): Promise<Run> {
  const stores = await storesIn(dataDir);
  const system = { clients: of.clients, firstPauseMs: 1, sliceRecords: 20, durable: () => stores.durable() };
  const { sinks } = withAwsSinks({ sources: {}, sinks: {} }, stores.objects, system);
  return world.start(job, { stores, sinks, ...(fromSavepoint === undefined ? {} : { fromSavepoint }) });
}

describe('rows and messages of a job', () => {
  test('are what they should be behind throttles, lost answers and refused entries, and what is too large is set aside', async () => {
    let entries = 0;
    const of = sinkWorld({ attemptsMax: 3, queue: { refuse: () => entries++ % 17 === 3 } });
    for (const fault of ['lost', 'throttle', 'broken', 'lost', 'lost'] as const) of.table.fail('PutItem', fault);
    of.sqs.service.inject('SendMessageBatch', 'lost-answer', undefined, 'lost-request', 'lost-answer');
    const large = [{ id: 'k1', n: -1, text: 'x'.repeat(409_600) }, { id: 'k2', n: -2, text: 'x'.repeat(1_048_576) }] as const; // prettier-ignore
    const run = await start(of, program(fromCollection([...large, ...changes])), 'one');
    expect((await run.running.ended).status).toBe('FINISHED');
    expect(sorted(rowsOf(of.table))).toEqual(rowsAfter(changes));
    expect(await received(of)).toEqual(new Map([...messagesOf([large[0], ...changes])]));
    const { engine, job } = run.running;
    const control = createPortJobControl({ deps: engine.coordinator, savepointDirectory: null, checkpointLocation: (key) => key });
    const letters = (await control.deadLetters(job))!.map(({ operator, code, record }) => [operator, code, (record as Change).n]);
    expect(letters.sort()).toEqual([
      ['messages', 'SLUICE-SINK-RECORD-TOO-LARGE', -2],
      ['rows', 'SLUICE-SINK-RECORD-TOO-LARGE', -1],
      ['rows', 'SLUICE-SINK-RECORD-TOO-LARGE', -2],
    ]);
  });

  test('are those of committed checkpoints only, and none is lost where the process ends between commit and delivery', async () => {
    const of = sinkWorld();
    const input = gatedInput('cut-off', [changes]);
    const first = await start(of, program(input.source), 'two');
    input.open(0.3);
    await first.checkpointAfter(() => undefined);
    // From now on nothing can be delivered, though checkpoints complete.
    of.table.fail('PutItem', 'throttle', 100_000);
    const { completed } = await first.record();
    input.open(0.7);
    while ((await first.record()).completed <= completed) await new Promise((resolve) => setTimeout(resolve, 5));
    await first.close();
    of.table.heal();
    const seen = new Set(changes.slice(0, 840).map(({ n }) => n));
    expect(rowsOf(of.table).every(({ n }) => seen.has(n as number))).toBe(true);
    input.open(1);
    const second = await start(of, program(input.source, 3), 'two');
    expect((await second.running.ended).status).toBe('FINISHED');
    expect(sorted(rowsOf(of.table))).toEqual(rowsAfter(changes));
    expect(await received(of)).toEqual(messagesOf(changes));
  });

  test('go on from a savepoint of a stopped job, in a job of its own, whose rows are the newer ones', async () => {
    const of = sinkWorld();
    const input = gatedInput('stopped', [changes]);
    const first = await start(of, program(input.source), 'three');
    input.open(0.5);
    await first.checkpointAfter(() => undefined);
    const savepoint = await first.stop('suspend');
    input.open(1);
    const second = await start(of, program(input.source, 1), 'four', savepoint);
    expect((await second.running.ended).status).toBe('FINISHED');
    expect(sorted(rowsOf(of.table))).toEqual(rowsAfter(changes));
    // What the savepoint had not shown is sent again, with the ids that it had: the queue knows them.
    expect(await received(of)).toEqual(messagesOf(changes));
  });
});
