/** The sources `ndjson` and `parquet` on S3: what they read, with which requests, and what goes wrong with them. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createFileConnectors } from '../../../lib/adapters/connectors/file-connectors.ts';
import { connectS3 } from '../../../lib/adapters/connectors/s3-connection.ts';
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import type { SplitReader } from '../../../lib/ports/connectors.ts';
import { type Fault, FakeObjectStorage } from '../aws/fake-object-storage.ts';
import { readAll, readToEnd } from './read-split.ts';
import { type ParquetColumn, writeParquet } from './write-parquet.ts';

const flights = fileURLToPath(new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url));

let storage: FakeObjectStorage;

beforeEach(() => {
  storage = new FakeObjectStorage();
});

/** Of another process each time: nothing is warm. */
function newReader(connector: 'ndjson' | 'parquet'): SplitReader {
  return createFileConnectors({ s3: connectS3(async () => storage.client()) }).sources[connector]!;
}

function spec(connector: 'ndjson' | 'parquet', uri: string, options: Record<string, unknown> = {}): ConnectorSpec {
  return { connector, options: { uri, ...options }, guarantee: 'exactly-once' };
}

const orders = spec('ndjson', 's3://bucket/in/orders.ndjson');
const linesOf = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const numbers = (count: number, from = 0): ParquetColumn => ({
  name: 'n',
  type: 'INT64',
  values: Array.from({ length: count }, (_, i) => from + i),
});
const many = Array.from({ length: 120_000 }, (_, n) => ({ n, text: 'x'.repeat(80) }));

describe('NDJSON on S3', () => {
  test('is one object, or all right below a prefix, in the order of their names, over pages of the listing', async () => {
    storage.pageSize = 2;
    storage.put('bucket/in/b.ndjson', '2\n');
    storage.put('bucket/in/a.jsonl', '1\n');
    storage.put('bucket/in/c.NDJSON.GZ', gzipSync('3\n4'));
    for (const other of ['.staged/x.ndjson', 'deep/x.ndjson', '.x.ndjson', 'notes.txt', '']) storage.put(`bucket/in/${other}`, '9\n');
    expect(await newReader('ndjson').splits(spec('ndjson', 's3://bucket/in/a.jsonl'))).toEqual(['all']);
    for (const uri of ['s3://bucket/in/', 's3://bucket/in', 's3://bucket//in//']) {
      expect(await newReader('ndjson').splits(spec('ndjson', uri))).toEqual(['a.jsonl', 'b.ndjson', 'c.NDJSON.GZ']);
      expect((await readAll(newReader('ndjson'), spec('ndjson', uri))).values).toEqual([1, 2, 3, 4]);
    }
    expect((await readAll(newReader('ndjson'), spec('ndjson', 's3://bucket/in/*.ndjson.gz'))).values).toEqual([3, 4]);
    expect((await readAll(newReader('ndjson'), spec('ndjson', 's3://bucket/in/', { limit: 3 }))).values).toEqual([1, 2, 3]);
  });

  test('may be empty, and a prefix may hold nothing that is meant', async () => {
    storage.put('bucket/in/orders.ndjson', '');
    storage.put('bucket/in/empty.ndjson.gz', gzipSync(''));
    storage.put('bucket/other/notes.txt', 'x');
    expect((await readAll(newReader('ndjson'), spec('ndjson', 's3://bucket/in/'))).values).toEqual([]);
    expect(await newReader('ndjson').splits(spec('ndjson', 's3://bucket/other/'))).toEqual([]);
  });

  test.each(['s3://bucket/in/none.ndjson', 's3://bucket/typo/', 's3://missing/in/'])(
    'is refused where nothing is there: %s',
    async (uri) => {
      const listing = newReader('ndjson').splits(spec('ndjson', uri));
      await expect(listing).rejects.toMatchObject({ code: 'SLUICE-INPUT-MISSING', facts: { file: uri } });
    },
  );

  test('brings the same records in pieces of any size, in one process or in as many as there are calls, plain and gzip', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        fc.boolean(),
        async (values, recordsMax, isGzip, isCold) => {
          const uri = `s3://bucket/in/orders.ndjson${isGzip ? '.gz' : ''}`;
          const text = linesOf(values);
          // Two members, as of two files that were put together.
          storage.put(uri.slice(5), isGzip ? Buffer.concat([gzipSync(text.slice(0, 7)), gzipSync(text.slice(7))]) : text);
          const warm = newReader('ndjson');
          const reader: SplitReader = { ...warm, read: (...given) => (isCold ? newReader('ndjson') : warm).read(...given) };
          const expected = values.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
          expect((await readToEnd(reader, spec('ndjson', uri), 'all', recordsMax)).values).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('takes one request for 8 MiB in a warm process, and one for each call in a cold one', async () => {
    storage.put('bucket/in/orders.ndjson', linesOf(many));
    const { length } = linesOf(many);
    expect((await readToEnd(newReader('ndjson'), orders, 'all', 5_000)).values).toEqual(many);
    expect(storage.take()).toHaveLength(Math.ceil(length / 8_388_608));
    const first = await newReader('ndjson').read(orders, 'all', null, { recordsMax: 5_000 });
    storage.take();
    await newReader('ndjson').read(orders, 'all', first.position, { recordsMax: 5_000 });
    expect(storage.take()).toHaveLength(1);
  });

  test('takes a few requests more for many objects that are read in turn, whose blocks are smaller', async () => {
    for (let i = 0; i < 30; i++) storage.put(`bucket/in/${i}.ndjson`, linesOf(many.slice(0, 30_000)));
    const reader = newReader('ndjson');
    const source = spec('ndjson', 's3://bucket/in/');
    const open = new Map<string, unknown>((await reader.splits(source)).map((split) => [split, null]));
    let records = 0;
    while (open.size > 0) {
      for (const [split, position] of open) {
        const read = await reader.read(source, split, position, { recordsMax: 2_000 });
        records += read.values.length;
        if (read.ended) open.delete(split);
        else open.set(split, read.position);
      }
    }
    expect(records).toBe(900_000);
    // 30 objects of 2.9 MB: 2 or 3 requests each, and not one for each of the 450 calls.
    expect(storage.take().length).toBeLessThan(30 * 4);
  });

  test('goes on at its end, in a new process, as at any other place', async () => {
    storage.put('bucket/in/orders.ndjson', '1\n2\n');
    const { position } = await newReader('ndjson').read(orders, 'all', null, { recordsMax: 2 });
    expect(position).toMatchObject({ byte: 4, line: 3, version: expect.any(String) as string });
    expect(await newReader('ndjson').read(orders, 'all', position, { recordsMax: 2 })).toMatchObject({ values: [], ended: true });
  });
});

describe('gzip on S3', () => {
  const packed = spec('ndjson', 's3://bucket/in/orders.ndjson.gz');

  test('is downloaded once by a warm process, and from its beginning by a cold one', async () => {
    const noise = Array.from({ length: 40_000 }, (_, n) => ({ n, text: Math.sin(n).toString(36) }));
    const bytes = gzipSync(linesOf(noise));
    storage.put('bucket/in/orders.ndjson.gz', bytes);
    expect((await readToEnd(newReader('ndjson'), packed, 'all', 1_000)).values).toEqual(noise);
    expect(storage.take()).toHaveLength(1);
    const cold = await newReader('ndjson').read(packed, 'all', null, { recordsMax: 39_000 });
    storage.take();
    expect((await newReader('ndjson').read(packed, 'all', cold.position, { recordsMax: 10_000 })).values).toEqual(noise.slice(39_000));
    expect(storage.take()).toEqual([`GetObject bytes=0-8388607`]);
  });

  test('is read again from a position before the one that the process has reached', async () => {
    storage.put('bucket/in/orders.ndjson.gz', gzipSync(linesOf(many)));
    const reader = newReader('ndjson');
    const first = await reader.read(packed, 'all', null, { recordsMax: 1_000 });
    await readToEnd(reader, packed, 'all', 20_000);
    expect((await reader.read(packed, 'all', first.position, { recordsMax: 2 })).values).toEqual(many.slice(1_000, 1_002));
  });

  test.each([10, 2_000, -1, -9])('is refused where it breaks off at byte %d: its text is never taken for all there is', async (at) => {
    storage.put('bucket/in/orders.ndjson.gz', gzipSync(linesOf(many)).subarray(0, at));
    await expect(readToEnd(newReader('ndjson'), packed, 'all')).rejects.toMatchObject({
      code: 'SLUICE-INPUT-CORRUPT',
      facts: { file: 's3://bucket/in/orders.ndjson.gz' },
    });
  });

  test('is refused where it is damaged, or no gzip at all', async () => {
    const bytes = gzipSync(linesOf(many.slice(0, 1_000)));
    bytes[bytes.length - 6]! ^= 1;
    for (const content of [bytes, '{"n":1}\n']) {
      storage.put('bucket/in/orders.ndjson.gz', content);
      await expect(readToEnd(newReader('ndjson'), packed, 'all')).rejects.toMatchObject({ code: 'SLUICE-INPUT-CORRUPT' });
    }
  });
});

describe('Parquet on S3', () => {
  const columns = ['date', 'delay', 'origin', 'destination'];

  test('takes one request for its metadata and one for each row group', async () => {
    storage.put('bucket/in/flights.parquet', await readFile(flights));
    const source = spec('parquet', 's3://bucket/in/flights.parquet', { columns, limit: 600_000 });
    const reader = newReader('parquet');
    const { values } = await readToEnd(reader, source, 'all', 16_384);
    expect(values).toHaveLength(600_000);
    expect(values[0]).toEqual({ date: 978_307_260_000, delay: 33, origin: 'LAS', destination: 'PHL' });
    expect(storage.take()).toEqual(['GetObject bytes=-524288', expect.any(String), expect.any(String), expect.any(String)]);
  });

  test('takes two requests in a cold process, wherever it goes on', async () => {
    storage.put('bucket/in/flights.parquet', await readFile(flights));
    const source = spec('parquet', 's3://bucket/in/flights.parquet', { columns });
    const { position } = await newReader('parquet').read(source, 'all', null, { recordsMax: 10 });
    storage.take();
    expect((await newReader('parquet').read(source, 'all', position, { recordsMax: 10 })).values).toHaveLength(10);
    expect(storage.take()).toHaveLength(2);
  });

  test('is one split for each of a few objects, which a position tells apart by version', async () => {
    for (const [i, name] of ['a', 'b', 'c'].entries())
      storage.put(`bucket/in/${name}.parquet`, writeParquet([numbers(10, i * 10)], { rowsPerGroup: 4 }));
    storage.put('bucket/in/_SUCCESS', '');
    for (const uri of ['s3://bucket/in/', 's3://bucket/in/*.parquet']) {
      const reader = newReader('parquet');
      expect(await reader.splits(spec('parquet', uri))).toEqual(['a.parquet', 'b.parquet', 'c.parquet']);
      const { values } = await readAll(reader, spec('parquet', uri), 3);
      expect(values.map((row) => (row as { readonly n: number }).n)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    }
  });

  test('of many objects is dealt out to a few splits, each of which reads its own in order', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `part-${String(i).padStart(2, '0')}.parquet`);
    for (const [i, name] of names.entries()) storage.put(`bucket/in/${name}`, writeParquet([numbers(i === 9 ? 0 : 3, i * 3)]));
    const source = spec('parquet', 's3://bucket/in/');
    const splits = await newReader('parquet').splits(source);
    expect(splits).toHaveLength(8);
    expect(splits[1]).toBe([1, 9, 17].map((i) => names[i]).join('/'));
    // A cold process at every call.
    const reader: SplitReader = { ...newReader('parquet'), read: (...given) => newReader('parquet').read(...given) };
    const rows = (await readToEnd(reader, source, splits[1]!, 2)).values.map((row) => (row as { readonly n: number }).n);
    expect(rows).toEqual([3, 4, 5, 51, 52, 53]);
    expect(await newReader('parquet').splits(spec('parquet', 's3://bucket/in/', { splits: 20 }))).toEqual(names);
    const limited = spec('parquet', 's3://bucket/in/', { limit: 8 });
    expect((await readAll(reader, limited, 2)).values).toEqual(Array.from({ length: 8 }, (_, n) => ({ n })));
  });

  test('reads columns that stand far apart with a request each, and neighbours with one', async () => {
    const wide = (name: string): ParquetColumn => ({
      name,
      type: 'BYTE_ARRAY',
      converted: 'UTF8',
      values: Array.from({ length: 1_500 }, (_, i) => name.repeat(1_000) + i),
    });
    storage.put('bucket/in/wide.parquet', writeParquet([numbers(1_500), wide('a'), { ...numbers(1_500), name: 'm' }]));
    const requests = async (names: readonly string[]): Promise<number> => {
      storage.take();
      await newReader('parquet').read(spec('parquet', 's3://bucket/in/wide.parquet', { columns: names }), 'all', null, { recordsMax: 5 });
      return storage.take().filter((request) => !request.includes('=-')).length;
    };
    expect(await requests(['n', 'a'])).toBe(1);
    // The end of the file is in memory already, and 1.5 MB between the two are not fetched.
    expect(await requests(['n', 'm'])).toBe(1);
  });
});

describe('an object that changes while it is read', () => {
  const readers = [
    ['ndjson', 's3://bucket/in/x.ndjson', linesOf(many), linesOf(many.map(({ n }) => n))],
    ['ndjson', 's3://bucket/in/x.ndjson.gz', gzipSync(linesOf(many)), gzipSync(linesOf(many.toReversed()))],
    [
      'parquet',
      's3://bucket/in/x.parquet',
      writeParquet([numbers(50)], { rowsPerGroup: 10 }),
      writeParquet([numbers(50, 50)], { rowsPerGroup: 10 }),
    ],
  ] as const;

  test.each(readers)('is refused at the next request, in this process and in another: %s %s', async (connector, uri, before, after) => {
    const source = spec(connector, uri);
    storage.put(uri.slice(5), before);
    const reader = newReader(connector);
    const { position } = await reader.read(source, 'all', null, { recordsMax: 5 });
    storage.put(uri.slice(5), after);
    const changed = { code: 'SLUICE-INPUT-CORRUPT', facts: { file: uri, code: 'PreconditionFailed' } };
    await expect(newReader(connector).read(source, 'all', position, { recordsMax: 5 })).rejects.toMatchObject(changed);
    // What is in memory is of the content that was opened.
    const rest = async (): Promise<unknown> => {
      for (let at: unknown = position; ;) {
        const read = await reader.read(source, 'all', at, { recordsMax: 20_000 });
        if (read.ended) return 'ended';
        at = read.position;
      }
    };
    if (connector === 'parquet') await expect(rest()).resolves.toBe('ended');
    else if (uri.endsWith('gz')) await expect(rest()).resolves.toBe('ended');
    else await expect(rest()).rejects.toMatchObject(changed);
    // From the beginning the job reads what is there now.
    const [first] = (await reader.read(source, 'all', null, { recordsMax: 1 })).values;
    expect(first).not.toEqual(connector === 'parquet' ? { n: 0 } : many[0]);
  });

  test.each(readers)('is refused where it is gone: %s %s', async (connector, uri, before) => {
    storage.put(uri.slice(5), before);
    const { position } = await newReader(connector).read(spec(connector, uri), 'all', null, { recordsMax: 5 });
    storage.objects.clear();
    const reading = newReader(connector).read(spec(connector, uri), 'all', position, { recordsMax: 5 });
    await expect(reading).rejects.toMatchObject({ code: 'SLUICE-INPUT-MISSING', facts: { file: uri } });
  });

  test.each(readers)('is another one where the job goes on with a copy of its input: %s %s', async (connector, uri, before) => {
    storage.put(uri.slice(5), before);
    const { position } = await newReader(connector).read(spec(connector, uri), 'all', null, { recordsMax: 5 });
    const copy = uri.replace('bucket', 'elsewhere');
    storage.put(copy.slice(5), before);
    const there = await newReader(connector).read(spec(connector, copy), 'all', position, { recordsMax: 5 });
    const here = await newReader(connector).read(spec(connector, uri), 'all', position, { recordsMax: 5 });
    expect(there.values).toEqual(here.values);
  });

  test('does not matter to a listing: what is listed when the job starts is read', async () => {
    storage.pageSize = 1;
    for (const name of ['a', 'b', 'c']) storage.put(`bucket/in/${name}.ndjson`, `"${name}"\n`);
    storage.inject(
      'ListObjectsV2',
      () => undefined,
      () => {
        storage.objects.delete('bucket/in/c.ndjson');
        storage.put('bucket/in/d.ndjson', '"d"\n');
      },
    );
    const reader = newReader('ndjson');
    const source = spec('ndjson', 's3://bucket/in/');
    const splits = await reader.splits(source);
    expect(splits).toEqual(['a.ndjson', 'b.ndjson', 'd.ndjson']);
    storage.put('bucket/in/e.ndjson', '"e"\n');
    const values = [];
    for (const split of splits) values.push(...(await readToEnd(reader, source, split)).values);
    expect(values).toEqual(['a', 'b', 'd']);
  });
});

describe('S3 that goes wrong', () => {
  test.each<readonly Fault[]>([
    ['throttle', 'throttle'],
    ['lost-answer'],
    ['lost-request', 'throttle'],
    ['broken-body'],
    ['broken-body', 'broken-body', 'throttle'],
  ])('is asked again where a read meets %j', async (...faults) => {
    storage.put('bucket/in/orders.ndjson', linesOf([1, 2, 3]));
    storage.inject('GetObject', ...faults);
    expect((await readToEnd(newReader('ndjson'), orders, 'all')).values).toEqual([1, 2, 3]);
  });

  test('for long fails the call, which may be made again', async () => {
    storage.put('bucket/in/orders.ndjson', linesOf([1, 2, 3]));
    storage.inject('GetObject', 'throttle', 'throttle', 'throttle');
    const reader = newReader('ndjson');
    await expect(readToEnd(reader, orders, 'all')).rejects.toMatchObject({
      code: 'SLUICE-INPUT-UNREADABLE',
      retryable: true,
      facts: { code: 'SlowDown' },
    });
    expect((await readToEnd(reader, orders, 'all')).values).toEqual([1, 2, 3]);
  });

  test('because the role may not read is told with what it must be allowed', async () => {
    storage.put('bucket/in/orders.ndjson', '1\n');
    storage.inject('GetObject', 'denied');
    await expect(readToEnd(newReader('ndjson'), orders, 'all')).rejects.toMatchObject({
      code: 'SLUICE-INPUT-UNREADABLE',
      retryable: false,
      hint: expect.stringContaining('s3:GetObject') as string,
    });
  });

  test('is connected to again where the client could not be made', async () => {
    storage.put('bucket/in/orders.ndjson', '1\n');
    let made = 0;
    const s3 = connectS3(async () => {
      if (made++ === 0) throw new Error('no profile');
      return storage.client();
    });
    const reader = createFileConnectors({ s3 }).sources['ndjson']!;
    await expect(reader.splits(orders)).rejects.toMatchObject({ code: 'SLUICE-INPUT-UNREADABLE' });
    expect((await readAll(reader, orders)).values).toEqual([1]);
    expect(made).toBe(2);
  });

  test.each([5, { file: 0, byte: 1, line: 1, records: 0, version: 7 }])(
    'is not asked for a position that is none: %j',
    async (position) => {
      await expect(newReader('ndjson').read(orders, 'all', position, { recordsMax: 1 })).rejects.toMatchObject({
        code: 'SLUICE-POSITION-INVALID',
      });
      expect(storage.take()).toEqual([]);
    },
  );
});
