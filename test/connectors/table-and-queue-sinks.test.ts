import { describe, expect, test } from 'vitest';
import { dynamoDbSink, fromCollection, sqsSink, defineJob, compileJob, type Sink } from '../../lib/index.ts';
import { sinkHarnessOf } from '../../lib/testing/index.ts';

const fifo = 'https://sqs.eu-west-1.amazonaws.com/111122223333/orders.fifo';
const standard = 'arn:aws:sqs:eu-west-1:111122223333:orders';
const unsupported = expect.objectContaining({ code: 'SLUICE-SINK-RECORD-UNSUPPORTED' }) as Error;
const tooLarge = expect.objectContaining({ code: 'SLUICE-SINK-RECORD-TOO-LARGE' }) as Error;

describe('the sink of rows', () => {
  const sink = (): Sink<object> => dynamoDbSink<object>({ table: 'rows', key: ['id', 'n'] });

  test('takes rows, and of those that delete one only its key', () => {
    const harness = sinkHarnessOf(
      dynamoDbSink<{ id: string; gone?: boolean }>({ table: 'rows', key: 'id', deletes: ({ gone }) => gone === true }),
    );
    harness.processElement({ id: 'a' });
    harness.processElement({ id: 'a', gone: true });
    expect(harness.written()).toEqual([{ item: { id: 'a' } }, { key: { id: 'a' } }]);
  });

  test('refuses before it is committed what no table takes', () => {
    const harness = sinkHarnessOf(sink());
    for (const bad of [
      { n: 1 },
      { id: '', n: 1 },
      { id: 'x'.repeat(2_049), n: 1 },
      { id: 'a', n: 'é'.repeat(513) },
      { id: true, n: 1 },
      { id: 'a', n: NaN },
      { id: 'a', n: 1, at: new Date() },
      { id: 'a', n: 1, list: [, 1] },
      { id: 'a', n: 1, deep: { none: undefined } },
      { id: 'a', n: 1, large: 1e200 },
      { id: 'a', n: 1, small: 1e-200 },
      { id: 'a', n: 1, long: 10n ** 38n + 1n },
      { id: 'a', n: 1, long: 10n ** 126n },
      { id: 'a', n: 1, half: '\ud800' },
      { id: 'a', n: 1, sluiceVersion: 'mine' },
      [1],
      new Map(),
    ])
      expect(
        () => harness.processElement(bad),
        JSON.stringify(bad, (_, value: unknown) => String(value)),
      ).toThrow(unsupported);
    const deep: { deeper?: object } = {};
    deep.deeper = deep;
    expect(() => harness.processElement({ id: 'a', n: 1, deep })).toThrow(unsupported);
    const levels = (count: number): unknown => (count === 0 ? 1 : [levels(count - 1)]);
    expect(() => harness.processElement({ id: 'a', n: 1, deep: levels(32) })).toThrow(unsupported);
    harness.processElement({ id: 'x'.repeat(2_048), n: 'é'.repeat(512) });
    expect(harness.written()).toHaveLength(1);
  });

  test('refuses a row above 400 KB, and takes one below', () => {
    const harness = sinkHarnessOf(sink());
    expect(() => harness.processElement({ id: 'a', n: 1, text: 'x'.repeat(409_600) })).toThrow(tooLarge);
    harness.processElement({ id: 'a', n: 1, text: 'x'.repeat(409_300) });
    expect(harness.written()).toHaveLength(1);
  });

  test.each([
    { table: 'a/b', key: 'id' },
    { table: 'rows', key: [] as unknown as [string] },
    { table: 'rows', key: ['a', 'a'] as const },
    { table: 'rows', key: 'sluiceVersion' },
    { table: 'rows', key: 'expiresAt' },
    { table: 'arn:aws:dynamodb:eu-west-1:1:table/rows', key: 'id' },
  ])('cannot be used with %j', (options) => {
    expect(dynamoDbSink(options).problem).toBeDefined();
  });

  test('sends rows of one key to one subtask, whatever the stream was keyed by', () => {
    const { keyOf } = sink();
    expect(keyOf!({ id: 'a', n: 1, other: 1 })).toEqual(keyOf!({ n: 1n, id: 'a', other: 2 }));
    expect(keyOf!({ id: 'a', n: 2 })).not.toEqual(keyOf!({ id: 'a', n: 1 }));
    for (const bad of [null, 1, {}, { id: NaN, n: undefined }]) expect(keyOf!(bad)).toEqual([null, null]);
    const job = defineJob({
      name: 'rows',
      build: (env) => {
        env.fromSource(fromCollection<{ id: string }>([])).uid('in').keyBy(() => 'all').reduce((left) => left).uid('one')
          .sinkTo(dynamoDbSink({ table: 'rows', key: 'id' })).uid('out'); // prettier-ignore
      },
    });
    const { plan } = compileJob(job, { parallelism: 2 });
    expect(plan.edges.map(({ to, partitioner }) => [to, partitioner])).toContainEqual(['out', 'hash']);
    expect(plan.vertices.flatMap(({ operators }) => operators).find(({ uid }) => uid === 'out')).toMatchObject({
      connector: { connector: 'dynamodb', options: { table: 'rows', key: ['id'], ttlAttribute: 'expiresAt' }, guarantee: 'idempotent' },
    });
  });
});

describe('the sink of messages', () => {
  test('writes plain JSON, or what the job makes of a record', () => {
    const plain = sinkHarnessOf(sqsSink<unknown>({ queue: standard }));
    plain.processElement({ a: ['é', '\ufffe\u0001'] });
    expect(plain.written()).toEqual([{ body: '{"a":["é","\\ufffe\\u0001"]}' }]);
    expect(JSON.parse((plain.written() as { body: string }[])[0]!.body)).toEqual({ a: ['é', '\ufffe\u0001'] });
    const own = sinkHarnessOf(sqsSink<{ id: number }>({ queue: standard, body: ({ id }) => `order ${id}` }));
    own.processElement({ id: 7 });
    expect(own.written()).toEqual([{ body: 'order 7' }]);
  });

  test('names groups after their key, or after its hash where it cannot be one', () => {
    const harness = sinkHarnessOf(sqsSink<unknown>({ queue: fifo, groupBy: (key) => key }));
    for (const key of ['a-1', 7, 'é', 'x'.repeat(129), { b: 1, a: 2 }, { a: 2, b: 1 }]) harness.processElement(key);
    const groups = (harness.written() as { group: string }[]).map(({ group }) => group);
    expect(groups.slice(0, 2)).toEqual(['a-1', '7']);
    for (const group of groups) expect(group).toMatch(/^[!-~]{1,128}$/);
    expect(groups[4]).toBe(groups[5]);
    expect(new Set(groups).size).toBe(5);
  });

  test('refuses before it is committed what no queue takes', () => {
    const plain = sinkHarnessOf(sqsSink<unknown>({ queue: standard }));
    expect(() => plain.processElement({ a: 1n })).toThrow(unsupported);
    expect(() => plain.processElement('x'.repeat(1_048_576 - 80))).toThrow(tooLarge);
    plain.processElement('x'.repeat(1_048_576 - 81));
    const small = sinkHarnessOf(sqsSink<string>({ queue: standard, maximumMessageBytes: 100, body: (text) => text }));
    expect(() => small.processElement('x'.repeat(22))).toThrow(tooLarge);
    for (const bad of ['', '\u0000', '\uffff', '\ud800', 1 as unknown as string])
      expect(() => small.processElement(bad)).toThrow(unsupported);
    small.processElement('é\t\r\n😀');
    expect(small.written()).toHaveLength(1);
  });

  test('asks for groups where the queue is FIFO, and only there', () => {
    const groupBy = (): number => 1;
    expect(sqsSink({ queue: fifo }).problem?.message).toContain('FIFO');
    expect(sqsSink({ queue: standard, groupBy }).problem?.message).toContain('standard');
    expect(sqsSink({ queue: 'orders' }).problem?.message).toContain('names no queue');
    expect(sqsSink({ queue: fifo, groupBy })).toMatchObject({ keyOf: groupBy });
    expect(sqsSink({ queue: 'http://127.0.0.1:4566/000000000000/orders' })).not.toHaveProperty('problem');
  });

  test('is the same place by URL and by ARN', () => {
    expect(sqsSink({ queue: standard }).target).toBe(sqsSink({ queue: 'https://sqs.eu-west-1.amazonaws.com/111122223333/orders' }).target);
  });
});
