import { mkdtemp, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findInputs } from '../../../lib/adapters/connectors/input-files.ts';
import { createParquetSource as createSource } from '../../../lib/adapters/connectors/parquet-source.ts';
import { connectS3 } from '../../../lib/adapters/connectors/s3-connection.ts';
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import type { SplitReader } from '../../../lib/ports/connectors.ts';
import { readAll, readToEnd } from './read-split.ts';
import { type ParquetColumn, type ParquetOptions, writeParquet } from './write-parquet.ts';

const flights = fileURLToPath(new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url));
const deadLetter = { onMalformed: 'dead-letter' } as const;

const createParquetSource = (): SplitReader => createSource(findInputs(connectS3()));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-parquet-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function spec(uri: string, options: Record<string, unknown> = {}): ConnectorSpec {
  return { connector: 'parquet', options: { uri, ...options }, guarantee: 'exactly-once' };
}

async function fileOf(columns: readonly ParquetColumn[], options?: ParquetOptions): Promise<string> {
  const path = join(folder, 'rows.parquet');
  await writeFile(path, writeParquet(columns, options));
  return path;
}

async function rowsOf(...columns: ParquetColumn[]): Promise<readonly unknown[]> {
  return (await readAll(createParquetSource(), spec(await fileOf(columns)))).values;
}

const numbers = (count: number): ParquetColumn => ({ name: 'n', type: 'INT64', values: Array.from({ length: count }, (_, i) => i) });

describe('the values of a Parquet file', () => {
  test('are plain: whole numbers, text, truth values, doubles, and null where there is none', async () => {
    const rows = await rowsOf(
      { name: 'long', type: 'INT64', values: [1, null, -5] },
      { name: 'int', type: 'INT32', values: [7, 8, null] },
      { name: 'text', type: 'BYTE_ARRAY', converted: 'UTF8', values: ['é', null, ''] },
      { name: 'flag', type: 'BOOLEAN', values: [true, false, null] },
      { name: 'double', type: 'DOUBLE', values: [1.5, -0, null] },
    );
    expect(rows).toEqual([
      { long: 1, int: 7, text: 'é', flag: true, double: 1.5 },
      { long: null, int: 8, text: null, flag: false, double: -0 },
      { long: -5, int: null, text: '', flag: null, double: null },
    ]);
  });

  test('are milliseconds for every kind of time, rounded down', async () => {
    const rows = await rowsOf(
      { name: 'millis', type: 'INT64', timestamp: 'MILLIS', values: [1_700_000_000_123n, -1n] },
      { name: 'micros', type: 'INT64', timestamp: 'MICROS', values: [1_700_000_000_123_999n, -1n] },
      { name: 'nanos', type: 'INT64', timestamp: 'NANOS', values: [1_700_000_000_123_999_999n, -1_000_000n] },
      { name: 'old', type: 'INT64', converted: 'TIMESTAMP_MICROS', values: [5_000n, null] },
      { name: 'day', type: 'INT32', converted: 'DATE', values: [1, -1] },
    );
    expect(rows).toEqual([
      { millis: 1_700_000_000_123, micros: 1_700_000_000_123, nanos: 1_700_000_000_123, old: 5, day: 86_400_000 },
      { millis: -1, micros: -1, nanos: -1, old: null, day: -86_400_000 },
    ]);
  });

  test('are bytes where nobody calls them text, and plain data where they are JSON', async () => {
    const rows = await rowsOf(
      { name: 'raw', type: 'BYTE_ARRAY', values: [Buffer.from([0xff, 0]), Buffer.from('a')] },
      { name: 'json', type: 'BYTE_ARRAY', converted: 'JSON', values: ['{"a":[1,null]}', '2'] },
    );
    expect(rows).toEqual([
      { raw: new Uint8Array([0xff, 0]), json: { a: [1, null] } },
      { raw: new Uint8Array([97]), json: 2 },
    ]);
    // Not a view that keeps the page around it.
    expect((rows[0] as { raw: Uint8Array }).raw.buffer.byteLength).toBe(2);
  });

  test('are the nearest numbers of decimals', async () => {
    const cents = Array.from({ length: 200 }, (_, i) => BigInt(i) - 100n);
    const rows = await rowsOf({
      name: 'x',
      type: 'INT64',
      converted: 'DECIMAL',
      precision: 15,
      values: [...cents, 999_999_999_999_999n, null],
    });
    const expected = [...cents.map((cent) => Number(`${cent}e-2`)), 9_999_999_999_999.99, null];
    expect(rows).toEqual(expected.map((x) => ({ x })));
  });

  test('are converted by annotations of the newer kind as by those of the older', async () => {
    const columns: ParquetColumn[] = [
      { name: 'enum', type: 'BYTE_ARRAY', logical: 'ENUM', values: ['red'] },
      { name: 'oldEnum', type: 'BYTE_ARRAY', converted: 'ENUM', values: ['red'] },
      { name: 'decimal', type: 'INT32', logical: 'DECIMAL', precision: 5, values: [57] },
      { name: 'day', type: 'INT32', logical: 'DATE', values: [1] },
      { name: 'json', type: 'BYTE_ARRAY', logical: 'JSON', values: ['[1]'] },
    ];
    expect(await rowsOf(...columns)).toEqual([{ enum: 'red', oldEnum: 'red', decimal: 0.57, day: 86_400_000, json: [1] }]);
  });

  test('are copies: a job that changes one does not change what is read again', async () => {
    const path = await fileOf([{ name: 'json', type: 'BYTE_ARRAY', converted: 'JSON', values: ['{"a":[1]}', '{"a":[2]}'] }]);
    const reader = createParquetSource();
    const read = async () => (await reader.read(spec(path), 'all', null, { recordsMax: 1 })).values[0] as { json: { a: number[] } };
    (await read()).json.a.push(9);
    expect(await read()).toEqual({ json: { a: [1] } });
  });

  test('keep names that mean something to JavaScript', async () => {
    const [row] = await rowsOf({ name: '__proto__', type: 'INT32', values: [1] }, { name: 'constructor', type: 'INT32', values: [2] });
    expect(Object.entries(row as object)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ]);
  });

  test.each(['ZSTD', 'GZIP'] as const)('are read from %s', async (codec) => {
    const path = await fileOf([numbers(1_000)], { codec, rowsPerGroup: 300 });
    const { values } = await readAll(createParquetSource(), spec(path));
    expect(values).toEqual(Array.from({ length: 1_000 }, (_, n) => ({ n })));
  });
});

describe('a row that cannot be read exactly', () => {
  const inexact: readonly [string, ParquetColumn][] = [
    ['an integer that a number cannot hold', { name: 'bad', type: 'INT64', values: [1n, 2n ** 53n, 3n] }],
    ['an unsigned one', { name: 'bad', type: 'INT64', converted: 'UINT_64', values: [1n, 2n ** 64n - 1n, 3n] }],
    ['a time that a number cannot hold', { name: 'bad', type: 'INT64', timestamp: 'MILLIS', values: [1n, -(2n ** 60n), 3n] }],
    ['text that is not UTF-8', { name: 'bad', type: 'BYTE_ARRAY', converted: 'UTF8', values: ['1', Buffer.from([0xff]), '3'] }],
    ['JSON that is none', { name: 'bad', type: 'BYTE_ARRAY', converted: 'JSON', values: ['1', '{', '3'] }],
  ];

  test.each(inexact)('is refused with its file, column and row: %s', async (_, column) => {
    const path = await fileOf([numbers(3), column]);
    const error = await readAll(createParquetSource(), spec(path)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'SLUICE-RECORD-MALFORMED', facts: { file: path, position: 'row 1' } });
    expect((error as Error).message).toContain('column bad');
  });

  test.each(inexact)('is set aside where the source is told so: %s', async (_, column) => {
    const path = await fileOf([numbers(3), column]);
    for (const recordsMax of [1, 2, 3]) {
      const { values, malformed } = await readAll(createParquetSource(), spec(path, deadLetter), recordsMax);
      expect(values.map((row) => (row as { n: number }).n)).toEqual([0, 2]);
      expect(malformed).toEqual([expect.objectContaining({ split: 'all', position: 'row 1', text: '{"n":1,"bad":null}' })]);
    }
  });

  test('does not matter where its column, or the row itself, is not wanted', async () => {
    const path = await fileOf([numbers(3), inexact[0]![1]]);
    expect((await readAll(createParquetSource(), spec(path, { columns: ['n'] }))).values).toHaveLength(3);
    expect((await readAll(createParquetSource(), spec(path, { limit: 1 }))).values).toEqual([{ n: 0, bad: 1 }]);
  });

  test('does not count towards the limit', async () => {
    const path = await fileOf([numbers(3), inexact[0]![1]]);
    for (const recordsMax of [1, 2, 3]) {
      const { values } = await readAll(createParquetSource(), spec(path, { ...deadLetter, limit: 2 }), recordsMax);
      expect(values.map((row) => (row as { n: number }).n)).toEqual([0, 2]);
    }
  });
});

describe('a position in a Parquet file', () => {
  test('brings the same rows in pieces of any size as at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 25 }),
        fc.integer({ min: 1, max: 70 }),
        fc.option(fc.integer({ min: 1, max: 70 }), { nil: undefined }),
        async (rows, rowsPerGroup, recordsMax, limit) => {
          const path = await fileOf([numbers(rows)], { rowsPerGroup });
          const { values } = await readAll(createParquetSource(), spec(path, limit === undefined ? {} : { limit }), recordsMax);
          expect(values).toEqual(Array.from({ length: Math.min(rows, limit ?? rows) }, (_, n) => ({ n })));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('lies in few calls where row groups are small', async () => {
    const path = await fileOf([numbers(50)], { rowsPerGroup: 2 });
    const { values } = await createParquetSource().read(spec(path), 'all', null, { recordsMax: 20 });
    expect(values.length).toBeGreaterThan(10);
  });

  test('goes on exactly there, in any order and in another process', async () => {
    const path = await fileOf([numbers(50)], { rowsPerGroup: 10 });
    const reader = createParquetSource();
    const positions: unknown[] = [null];
    for (let ended = false; !ended;) {
      const result = await reader.read(spec(path), 'all', positions.at(-1), { recordsMax: 7 });
      positions.push(result.position);
      ({ ended } = result);
    }
    for (const again of [reader, createParquetSource()]) {
      for (const position of positions.slice(0, -1).reverse()) {
        const { values } = await again.read(spec(path), 'all', position, { recordsMax: 7 });
        expect(values[0]).toEqual({ n: (position as { row: number } | null)?.row ?? 0 });
      }
      const last = await again.read(spec(path), 'all', positions.at(-1), { recordsMax: 7 });
      expect(last).toMatchObject({ values: [], ended: true });
    }
  });

  test.each([5, 'here', {}, { row: -1, records: 0 }, { row: 11, records: 11 }])('is refused where there is none: %j', async (position) => {
    const path = await fileOf([numbers(10)]);
    const reading = createParquetSource().read(spec(path), 'all', position, { recordsMax: 1 });
    await expect(reading).rejects.toMatchObject({ code: 'SLUICE-POSITION-INVALID' });
  });
});

describe('a Parquet file', () => {
  test('is one split, found by path, by relative path and by URI', async () => {
    const path = await fileOf([numbers(2)]);
    for (const uri of [path, relative(process.cwd(), path), pathToFileURL(path).href]) {
      expect(await createParquetSource().splits(spec(uri))).toEqual(['all']);
      expect((await readAll(createParquetSource(), spec(uri))).values).toHaveLength(2);
    }
  });

  test('brings the columns that are wanted, in that order', async () => {
    const path = await fileOf([numbers(1), { name: 'a', type: 'INT32', values: [1] }, { name: 'b', type: 'INT32', values: [2] }]);
    const { values } = await readAll(createParquetSource(), spec(path, { columns: ['b', 'n'] }));
    expect(JSON.stringify(values)).toBe('[{"b":2,"n":0}]');
  });

  test('may have no rows', async () => {
    expect((await readAll(createParquetSource(), spec(await fileOf([numbers(0)])))).values).toEqual([]);
  });

  test('is read anew when it was replaced between two calls', async () => {
    const reader = createParquetSource();
    const path = await fileOf([numbers(3)]);
    await readToEnd(reader, spec(path), 'all');
    await reader.read(spec(path), 'all', null, { recordsMax: 1 });
    await fileOf([{ ...numbers(30), name: 'm' }]);
    expect((await reader.read(spec(path), 'all', null, { recordsMax: 1 })).values).toEqual([{ m: 0 }]);
  });

  test('holds the flights', async () => {
    const reader = createParquetSource();
    const source = spec(flights, { columns: ['date', 'delay', 'origin', 'destination'], limit: 40_000 });
    const { values } = await readToEnd(reader, source, 'all', 16_384);
    expect(values).toHaveLength(40_000);
    expect(values[0]).toEqual({ date: 978_307_260_000, delay: 33, origin: 'LAS', destination: 'PHL' });
  });
});

describe('a file that is not what it should be', () => {
  test('is refused where it is missing, with its path', async () => {
    const path = join(folder, 'none.parquet');
    await expect(createParquetSource().splits(spec(path))).rejects.toMatchObject({ code: 'SLUICE-INPUT-MISSING', facts: { file: path } });
  });

  test('is refused where a column is unknown, with those that it has', async () => {
    const path = await fileOf([numbers(1)]);
    await expect(createParquetSource().splits(spec(path, { columns: ['n', 'm'] }))).rejects.toMatchObject({
      code: 'SLUICE-INPUT-COLUMN-UNKNOWN',
      facts: { file: path, column: 'm', columns: ['n'] },
      hint: expect.stringContaining('n') as string,
    });
  });

  test.each<[string, string | Uint8Array]>([
    ['it is empty', ''],
    ['it is text', '{"n":1}\n'.repeat(10)],
    [
      'its metadata is noise',
      Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(100, 0xaa), Buffer.from([100, 0, 0, 0]), Buffer.from('PAR1')]),
    ],
    ['its metadata is longer than it', Buffer.concat([Buffer.from('PAR1'), Buffer.from([255, 255, 0, 0]), Buffer.from('PAR1')])],
  ])('is refused where %s', async (_, content) => {
    const path = join(folder, 'rows.parquet');
    await writeFile(path, content);
    await expect(createParquetSource().splits(spec(path))).rejects.toMatchObject({ code: 'SLUICE-INPUT-CORRUPT', facts: { file: path } });
  });

  test.each([{ rows: 21 }, { groupRows: 21 }, { rows: -20, groupRows: -20 }, { rows: 21, groupRows: 21 }, { rows: 19, groupRows: 19 }])(
    'is refused where its rows do not add up: %j',
    async (says) => {
      const path = await fileOf([numbers(20)], { says });
      await expect(readAll(createParquetSource(), spec(path))).rejects.toMatchObject({
        code: 'SLUICE-INPUT-CORRUPT',
        facts: { file: path },
      });
    },
  );

  test('is refused where it was cut off anywhere', async () => {
    const path = await fileOf([numbers(20)], { rowsPerGroup: 7 });
    const whole = await readFile(path);
    for (let length = 0; length < whole.length; length += 3) {
      await writeFile(path, whole.subarray(0, length));
      await expect(readAll(createParquetSource(), spec(path))).rejects.toMatchObject({ code: 'SLUICE-INPUT-CORRUPT' });
    }
  });

  test('is refused, or read without harm, where any byte was changed: no other error comes out', async () => {
    const whole = writeParquet([numbers(20), { name: 's', type: 'BYTE_ARRAY', converted: 'UTF8', values: Array<null>(20).fill(null) }], {
      rowsPerGroup: 7,
    });
    const path = join(folder, 'rows.parquet');
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const broken = Buffer.from(whole);
        broken[at]! ^= change;
        await writeFile(path, broken);
        const outcome = await readAll(createParquetSource(), spec(path), 64).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toHaveProperty('code', expect.stringMatching(/^SLUICE-(?:INPUT|RECORD)-/));
      }),
      { numRuns: 500 },
    );
  });

  test('is refused with column and row where it loses bytes while it is read, and read on when they are back', async () => {
    const path = await fileOf([numbers(20)], { rowsPerGroup: 10 });
    const whole = await readFile(path);
    const reader = createParquetSource();
    const { position } = await reader.read(spec(path), 'all', null, { recordsMax: 10 });
    await truncate(path, 20);
    await expect(reader.read(spec(path), 'all', position, { recordsMax: 10 })).rejects.toMatchObject({ code: 'SLUICE-INPUT-CORRUPT' });
    await writeFile(path, whole);
    expect((await reader.read(spec(path), 'all', position, { recordsMax: 10 })).values).toHaveLength(10);
  });

  test('is tried again where a row group could not be decoded, without being opened anew', async () => {
    const path = await fileOf([numbers(20)], { rowsPerGroup: 10, codec: 'ZSTD' });
    const whole = await readFile(path);
    const asOf = async (content: Buffer): Promise<void> => {
      await writeFile(path, content);
      await utimes(path, 1_000, 1_000);
    };
    await asOf(whole);
    const reader = createParquetSource();
    const { position } = await reader.read(spec(path), 'all', null, { recordsMax: 10 });
    const end = whole.lastIndexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
    await asOf(Buffer.concat([whole.subarray(0, end), Buffer.alloc(4), whole.subarray(end + 4)]));
    await expect(reader.read(spec(path), 'all', position, { recordsMax: 10 })).rejects.toMatchObject({ code: 'SLUICE-INPUT-CORRUPT' });
    await asOf(whole);
    expect((await reader.read(spec(path), 'all', position, { recordsMax: 10 })).values).toHaveLength(10);
  });

  test('is refused with column and row where a page is damaged', async () => {
    const bytes = writeParquet([numbers(20)], { rowsPerGroup: 10, codec: 'ZSTD' });
    const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
    bytes.fill(0, bytes.lastIndexOf(magic), bytes.lastIndexOf(magic) + 4);
    const path = join(folder, 'rows.parquet');
    await writeFile(path, bytes);
    const reader = createParquetSource();
    expect((await reader.read(spec(path), 'all', null, { recordsMax: 10 })).values).toHaveLength(10);
    await expect(readToEnd(reader, spec(path), 'all')).rejects.toMatchObject({
      code: 'SLUICE-INPUT-CORRUPT',
      facts: { file: path, column: 'n', row: 10 },
    });
  });

  test.each<[string, ParquetColumn, ParquetOptions]>([
    ['decimals of many digits', { name: 'x', type: 'INT64', converted: 'DECIMAL', precision: 18, values: [1n] }, {}],
    ['decimals of many digits, newly annotated', { name: 'x', type: 'INT64', logical: 'DECIMAL', precision: 18, values: [1n] }, {}],
    ['BSON, newly annotated', { name: 'x', type: 'BYTE_ARRAY', logical: 'BSON', values: ['1'] }, {}],
    ['BSON', { name: 'x', type: 'BYTE_ARRAY', converted: 'BSON', values: ['1'] }, {}],
    ['an unknown compression', { name: 'x', type: 'INT32', values: [1] }, { codec: 'LZO' }],
  ])('is refused where a wanted column has %s', async (_, column, options) => {
    const path = await fileOf([column], options);
    await expect(createParquetSource().splits(spec(path))).rejects.toMatchObject({
      code: 'SLUICE-INPUT-COLUMN-UNSUPPORTED',
      facts: { file: path, column: 'x' },
    });
  });

  test.each([{ columns: [] }, { columns: 'n' }, { columns: [1] }, { limit: 0 }, { onMalformed: 'skip' }])(
    'is not read with %j',
    async (options) => {
      const path = await fileOf([numbers(1)]);
      await expect(readAll(createParquetSource(), spec(path, options))).rejects.toMatchObject({ code: 'SLUICE-CONNECTOR-OPTION' });
    },
  );
});
