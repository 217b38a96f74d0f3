/** Taking in: what is acknowledged stands in the log, and its source knows. */
import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import { compileJob, collectSink, defineJob, sourceFromSqs } from '../../lib/index.ts';
import { createIntake, type OfferedRecord } from '../../lib/intake/take-in.ts';
import type { IntakeDeps } from '../../lib/intake/wake-source.ts';
import { takeMessages, type QueueMessage } from '../../lib/intake/take-messages.ts';
import { createMemoryIntakeLog } from '../../lib/adapters/memory/intake-log.ts';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { encodeStoredPlan } from '../../lib/checkpoint/stored-plan.ts';
import { readMessage } from '../../lib/model/envelope-codec.ts';
import { partitionIds, partitionOf } from '../../lib/model/intake.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import { operatorQueue } from '../../lib/model/queue-names.ts';
import type { IntakeEntry, IntakeLog } from '../../lib/ports/intake-log.ts';
import { readAll } from '../contract/intake-log.contract.ts';
import { jobA, jobRecord } from '../contract/sample-records.ts';

const partitions = 3;
const uid = operatorUid('orders');
const program = compileJob(
  defineJob({
    name: 'orders',
    build: (env) =>
      void env.fromSource(sourceFromSqs('orders', { partitions })).uid('orders').setParallelism(2).sinkTo(collectSink('out')).uid('out'),
  }),
  { parallelism: 2 },
);
const stored = encodeStoredPlan(jobA, { plan: program.plan, settings: defaultCheckpointSettings });
const offered = (texts: readonly string[]): OfferedRecord[] => texts.map((text) => ({ key: text, id: '', text }));

interface Sent {
  readonly group: string;
  readonly split: string;
  readonly number: number;
  readonly attempt: number;
}

let log: IntakeLog;
let job: JobRecord | undefined;
let sent: Sent[];
let happened: string[];
let refusals: number;

function intake(more: Partial<IntakeDeps> = {}) {
  const deps: IntakeDeps = {
    log: {
      ...log,
      append: async (...given) => {
        happened.push('append');
        return log.append(...given);
      },
    },
    jobs: {
      read: async () => {
        happened.push('read job');
        return job;
      },
    },
    objects: { read: async (key) => (key === stored.key ? stored.bytes : undefined) },
    messages: {
      sendBatch: async (queue, messages) => {
        happened.push('send');
        expect(queue).toBe(operatorQueue(jobA, uid));
        if (refusals-- > 0) return messages.map(() => false);
        for (const { group, body } of messages) {
          const message = readMessage(body);
          if (message.kind !== 'control') throw new Error('no control message');
          const { split, number, attempt } = message.control;
          sent.push({ group, split: split!, number, attempt });
        }
        return messages.map(() => true);
      },
    },
    clock: { now: () => 77, monotonic: () => 0 },
    logger: silentLogger,
    ...more,
  };
  return createIntake(deps, { job: jobA, uid, name: 'orders', partitions });
}

const entries = async (): Promise<IntakeEntry[]> =>
  (await Promise.all(partitionIds(partitions).map((partition) => readAll(log, { intake: 'orders', partition })))).flat();

beforeEach(() => {
  log = createMemoryIntakeLog();
  job = jobRecord({ job: jobA, plan: stored.key, status: 'RUNNING', attempt: 4 });
  sent = [];
  happened = [];
  refusals = 0;
});

describe('a batch', () => {
  test('is written, an entry per partition, then the job is read, then the shards that have these partitions are told', async () => {
    const texts = Array.from({ length: 20 }, (_, n) => `${n}`);
    expect(await intake()(offered(texts))).toEqual({ taken: texts.map(() => true), problem: undefined });
    expect(happened).toEqual(['append', 'append', 'append', 'read job', 'send']);
    const written = await entries();
    expect(written.flatMap(({ records }) => records.map(({ text }) => text)).sort()).toEqual([...texts].sort());
    expect(written.map(({ takenAtMs }) => takenAtMs)).toEqual([77, 77, 77]);
    expect(sent.sort((a, b) => (a.split < b.split ? -1 : 1))).toEqual([
      { split: '000-of-3', group: '0.4', number: 1, attempt: 4 },
      { split: '001-of-3', group: '1.4', number: 1, attempt: 4 },
      { split: '002-of-3', group: '0.4', number: 1, attempt: 4 },
    ]);
  });

  test('that is large is several entries, in order, and the source is told of the last', async () => {
    const texts = Array.from({ length: 5_000 }, (_, n) => `${n}`);
    await intake()(texts.map((text) => ({ key: 'one', id: '', text })));
    const written = await entries();
    expect(written.map(({ records }) => records.length)).toEqual([2_048, 2_048, 904]);
    expect(written.flatMap(({ records }) => records.map(({ text }) => text))).toEqual(texts);
    expect(sent).toMatchObject([{ number: 3 }]);
    await intake()([{ key: 'one', id: '', text: 'x'.repeat(3_000_000) }, ...offered(['y'])]);
    expect((await entries()).some(({ records }) => records[0]!.text.length === 3_000_000)).toBe(true);
  });

  test('is not acknowledged where the log fails: of that partition what follows, of the others nothing', async () => {
    const bad = partitionOf('bad', partitions);
    let appends = 0;
    const failing: IntakeLog = {
      ...log,
      append: async (partition, entry) => {
        if (partition.partition === bad && ++appends === 2) throw new Error('throttled');
        return log.append(partition, entry);
      },
    };
    const good = ['a', 'b', 'c', 'd'].find((key) => partitionOf(key, partitions) !== bad)!;
    const records = [
      ...Array.from({ length: 2_050 }, (_, n) => ({ key: 'bad', id: '', text: `${n}` })),
      { key: good, id: '', text: 'good' },
    ];
    const { taken, problem } = await intake({ log: failing })(records);
    expect(taken).toEqual([...Array<boolean>(2_048).fill(true), false, false, true]);
    expect(problem).toMatchObject({ code: 'SLUICE-INTAKE-FAILED', retryable: true });
    expect(sent).toHaveLength(2);
  });

  test('is not acknowledged where its source cannot be told', async () => {
    refusals = 99;
    expect(await intake()(offered(['a', 'b']))).toMatchObject({ taken: [false, false], problem: { code: 'SLUICE-SEND-FAILED' } });
    refusals = 2;
    expect(await intake()(offered(['a', 'b']))).toMatchObject({ taken: [true, true] });
  });

  test('into a closed log is refused for ever', async () => {
    await log.append({ intake: 'orders', partition: partitionOf('a', partitions) }, { takenAtMs: 0, closes: true, records: [] });
    expect(await intake()(offered(['a']))).toMatchObject({ taken: [false], problem: { code: 'SLUICE-INTAKE-CLOSED' } });
  });
});

describe('the job', () => {
  const pending = { kind: 'stop-savepoint', stop: 'suspend' } as const;

  test.each([
    ['FINISHED', {}],
    ['CANCELED', {}],
    ['CANCELLING', {}],
    ['SUSPENDED', {}],
    ['RUNNING', { pending: [pending as JobRecord['pending'][number]] }],
  ] as const)('that has stopped or is being stopped (%s) takes nothing in, until it goes on', async (status, more) => {
    job = jobRecord({ job: jobA, plan: stored.key, status, ...more });
    const take = intake();
    for (let i = 0; i < 2; i++)
      expect(await take(offered(['a']))).toMatchObject({ taken: [false], problem: { code: 'SLUICE-INTAKE-STOPPED' } });
    // The first time it was not known yet.
    expect(await entries()).toHaveLength(1);
    job = jobRecord({ job: jobA, plan: stored.key, status: 'RUNNING', pending: [], attempt: 5 });
    expect(await take(offered(['a']))).toMatchObject({ taken: [true] });
    expect(sent).toMatchObject([{ attempt: 5 }]);
  });

  test.each(['FAILED', undefined] as const)(
    'that has failed, or is not there yet (%s), finds the entries when it runs: nobody is told',
    async (status) => {
      job = status === undefined ? undefined : jobRecord({ job: jobA, plan: stored.key, status });
      expect(await intake()(offered(['a']))).toEqual({ taken: [true], problem: undefined });
      expect([sent, (await entries()).length]).toEqual([[], 1]);
    },
  );
});

describe('messages of a queue', () => {
  const message = (messageId: string, fifo: QueueMessage['fifo'] = null): QueueMessage => ({
    messageId,
    fifo,
    text: `{"is":"${messageId}"}`,
  });

  test('that come again are known again, by their id, or by their number in their group', async () => {
    const take = intake();
    const standard = [message('a'), message('b')];
    const fifo = [
      message('c', { group: 'g', sequence: '1' }),
      message('d', { group: 'g', sequence: '2' }),
      message('e', { group: 'h', sequence: '1' }),
    ];
    expect(await takeMessages(take, [...standard, ...fifo])).toEqual([]);
    const ids = (await entries()).flatMap(({ records }) => records.map(({ id }) => id));
    expect(new Set(ids).size).toBe(5);
    // A FIFO queue's message has another message id only where it is another one.
    await takeMessages(take, [...standard, ...fifo.map((one) => ({ ...one, messageId: 'x' }))]);
    const again = (await entries()).flatMap(({ records }) => records.map(({ id }) => id));
    expect([again.length, new Set(again).size]).toEqual([10, 5]);
  });

  test('of a group are in one partition, in order; those that were not taken come again', async () => {
    const group = Array.from({ length: 5 }, (_, n) => message(`${n}`, { group: 'g', sequence: `${n}` }));
    await takeMessages(intake(), group);
    const [entry, ...more] = await entries();
    expect([entry!.records.map(({ text }) => text), more]).toEqual([group.map(({ text }) => text), []]);
    refusals = 99;
    expect(await takeMessages(intake(), group)).toEqual(['0', '1', '2', '3', '4']);
  });
});
