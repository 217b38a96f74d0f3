import { describe, expect, test } from 'vitest';
import { fromCollection, memoryText, ndjsonFiles, parquetFile, recordsFrom, recordsTo } from '../../lib/index.ts';

interface Flight {
  readonly date: number;
  readonly origin: string;
}

describe('sources', () => {
  test('are plain data that an adapter finds by name', () => {
    expect(parquetFile<Flight>('flights.parquet', { columns: ['date', 'origin'], limit: 10, splits: 3 }).connector).toEqual({
      connector: 'parquet',
      options: { uri: 'flights.parquet', columns: ['date', 'origin'], limit: 10, splits: 3 },
      guarantee: 'exactly-once',
    });
    expect(ndjsonFiles('orders/').connector).toEqual({ connector: 'ndjson', options: { uri: 'orders/' }, guarantee: 'exactly-once' });
    expect(memoryText('lines', { limit: 5 }).connector).toEqual({
      connector: 'memory-text',
      options: { name: 'lines', limit: 5 },
      guarantee: 'exactly-once',
    });
    expect(fromCollection([1, 2], { splits: 2 }).connector).toEqual({
      connector: 'collection',
      options: { values: [1, 2], splits: 2 },
      guarantee: 'exactly-once',
    });
  });

  test('take a limit that was not given for none', () => {
    expect(parquetFile('flights.parquet', { limit: undefined }).connector.options).toEqual({ uri: 'flights.parquet' });
  });

  test('bring values of a collection through JSON as they were', () => {
    const values = [new Date(5), 10n, undefined, -0, new Map([['a', 1]])];
    const source = fromCollection(values);
    const travelled = JSON.parse(JSON.stringify(source.connector.options['values'])) as unknown[];
    expect(travelled.map((value) => source.decode?.(value))).toEqual(values);
    expect(fromCollection([{ a: 1 }]).decode).toBeUndefined();
  });

  test('say what in a collection cannot travel', () => {
    expect(fromCollection([{ run: () => 1 }]).problem?.message).toContain('function');
  });

  test('do not change the values that they were given', () => {
    const value = { n: 1 };
    const source = fromCollection([value]);
    value.n = 2;
    expect(source.connector.options['values']).toEqual([{ n: 1 }]);
  });
});

describe('connectors by URI', () => {
  test.each([
    ['flights.parquet', 'parquet'],
    ['file:///data/flights.PARQUET', 'parquet'],
    ['orders.ndjson', 'ndjson'],
    ['orders.jsonl', 'ndjson'],
    ['orders/', 'ndjson'],
    ['C:\\data\\orders.ndjson', 'ndjson'],
    ['orders.ndjson.gz', 'ndjson'],
    ['s3://bucket/flights.parquet', 'parquet'],
    ['s3://bucket/flights/*.parquet', 'parquet'],
    ['s3://bucket/orders/', 'ndjson'],
    ['s3://bucket/orders/2026.jsonl.gz', 'ndjson'],
  ])('%s is read as %s', (uri, connector) => {
    expect(recordsFrom(uri)).toMatchObject({ connector: { connector, options: { uri } } });
    expect(recordsFrom(uri).problem).toBeUndefined();
  });

  test.each([
    ['s3://bucket', 'does not say'],
    ['s3:/bucket/flights.parquet', 'no place on S3'],
    ['s3://b/flights.parquet', 'no place on S3'],
    ['sqs:queue', 'yet'],
    ['gopher://hole', 'unknown'],
    ['orders.csv', 'does not say'],
    [' ', 'empty'],
  ])('%j is refused with a reason', (uri, reason) => {
    expect(recordsFrom(uri).problem?.message).toContain(reason);
  });

  test('an output is a folder of files, or a prefix on S3', () => {
    expect(recordsTo('out/daily')).toMatchObject({ connector: { connector: 'ndjson-files', options: { uri: 'out/daily' } } });
    expect(recordsTo('file:///out').problem).toBeUndefined();
    expect(recordsTo('s3://bucket//out//')).toMatchObject({
      connector: { connector: 'ndjson-files', options: { uri: 's3://bucket/out' } },
    });
    expect(recordsTo('s3://bucket/out').problem).toBeUndefined();
    expect(recordsTo('s3://').problem?.message).toContain('no place on S3');
    expect(recordsTo('sqs:queue').problem?.message).toContain('yet');
  });
});
