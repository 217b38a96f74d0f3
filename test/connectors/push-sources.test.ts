import { describe, expect, test } from 'vitest';
import { checkCompatibility } from '../../lib/checkpoint/compatibility.ts';
import {
  collectSink,
  compileJob,
  days,
  defineJob,
  hours,
  sourceFromHttp,
  sourceFromSqs,
  type PushOptions,
  type Source,
} from '../../lib/index.ts';

const compiled = (...sources: readonly Source<unknown>[]) =>
  compileJob(
    defineJob({
      name: 'pushed',
      build: (env) => {
        for (const [index, source] of sources.entries())
          env
            .fromSource(source)
            .uid(`in-${index}`)
            .sinkTo(collectSink(`out-${index}`))
            .uid(`out-${index}`);
      },
    }),
  );

describe('a push source', () => {
  test('says in the plan what its intake and its reader need, and sets aside what it cannot read', () => {
    const { plan } = compiled(sourceFromSqs('orders', { partitions: 8, duplicates: { records: 10, withinMs: hours(2) }, keptMs: days(1) }));
    const [operator] = plan.vertices[0]!.operators;
    expect(operator).toMatchObject({
      onError: 'dead-letter',
      connector: {
        connector: 'intake',
        guarantee: 'exactly-once',
        options: { intake: 'orders', kind: 'sqs', partitions: 8, duplicateRecords: 10, duplicateMs: 7_200_000, keptMs: 86_400_000 },
      },
    });
    const { connector } = sourceFromHttp('clicks');
    expect(connector.options).toEqual({
      intake: 'clicks',
      kind: 'http',
      partitions: 4,
      duplicateRecords: 65_536,
      duplicateMs: days(1),
      keptMs: days(7),
    });
  });

  test('may be told to fail instead', () => {
    const job = defineJob({
      name: 'pushed',
      build: (env) => void env.fromSource(sourceFromSqs('orders')).uid('in').onError('fail').sinkTo(collectSink('out')).uid('out'),
    });
    expect(compileJob(job).plan.vertices[0]!.operators[0]).not.toHaveProperty('onError');
  });

  test.each<[string, PushOptions, string]>([
    ['Orders', {}, 'cannot be used'],
    ['a'.repeat(31), {}, 'cannot be used'],
    ['orders', { partitions: 0 }, 'partitions'],
    ['orders', { partitions: 129 }, 'partitions'],
    ['orders', { duplicates: { records: -1 } }, 'records again'],
    ['orders', { duplicates: { withinMs: 1.5 } }, 'durations'],
    ['orders', { keptMs: 1_000 }, 'forgets'],
  ])('%s with %o is refused with a reason', (name, options, reason) => {
    expect(() => compiled(sourceFromSqs(name, options))).toThrow(reason);
  });

  test('has its intake for itself', () => {
    expect(() => compiled(sourceFromSqs('orders'), sourceFromHttp('orders'))).toThrow('intake-shared');
  });
});

test('a restore to another log, or to one dealt out otherwise, is refused; other horizons are not', () => {
  const options = { allowNonRestoredState: false, allowOtherJob: false };
  const reasonsTo = (source: Source<unknown>): readonly string[] => {
    const { plan } = compiled(sourceFromSqs('orders', { partitions: 4 }));
    return checkCompatibility({ jobName: 'pushed', plan }, compiled(source).plan, options).reasons.map(
      ({ code, message }) => `${code} ${message}`,
    );
  };
  expect(reasonsTo(sourceFromSqs('orders', { duplicates: { records: 5 } }))).toEqual([]);
  expect(reasonsTo(sourceFromHttp('orders'))).toEqual([]);
  expect(reasonsTo(sourceFromSqs('orders', { partitions: 5 }))).toEqual([
    'SOURCE_CHANGED operator in-0 read the intake orders in 4 partitions and reads the intake orders in 5 partitions: its positions mean nothing there',
  ]);
  expect(reasonsTo(sourceFromSqs('others'))).toHaveLength(1);
});
