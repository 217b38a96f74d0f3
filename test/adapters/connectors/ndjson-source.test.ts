import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findInputs } from '../../../lib/adapters/connectors/input-files.ts';
import { createNdjsonSource } from '../../../lib/adapters/connectors/ndjson-source.ts';
import { connectS3 } from '../../../lib/adapters/connectors/s3-connection.ts';
import { limits } from '../../../lib/base/limits.ts';
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import { readAll, readToEnd } from './read-split.ts';

const ndjsonSource = createNdjsonSource(findInputs(connectS3()));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-ndjson-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function spec(uri: string, options: Record<string, unknown> = {}): ConnectorSpec {
  return { connector: 'ndjson', options: { uri, ...options }, guarantee: 'exactly-once' };
}

async function fileOf(content: string | Uint8Array, name = 'orders.ndjson'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const deadLetter = { onMalformed: 'dead-letter' } as const;

describe('an NDJSON file', () => {
  test('is one split, found by path, by relative path and by URI', async () => {
    const path = await fileOf('{"n":1}\n{"n":2}\n');
    for (const uri of [path, relative(process.cwd(), path), pathToFileURL(path).href]) {
      expect(await ndjsonSource.splits(spec(uri))).toEqual(['all']);
      expect((await readAll(ndjsonSource, spec(uri))).values).toEqual([{ n: 1 }, { n: 2 }]);
    }
  });

  test('may have a byte order mark, carriage returns, blank lines and no line break at its end', async () => {
    const path = await fileOf('\uFEFF1\r\n\n\r\n \t\n"é"\r\n3');
    expect((await readAll(ndjsonSource, spec(path), 1)).values).toEqual([1, 'é', 3]);
  });

  test('may be empty, or hold blank lines only', async () => {
    expect((await readAll(ndjsonSource, spec(await fileOf('')))).values).toEqual([]);
    expect((await readAll(ndjsonSource, spec(await fileOf('\n\r\n\n')))).values).toEqual([]);
    expect((await readAll(ndjsonSource, spec(await fileOf('\uFEFF')))).values).toEqual([]);
  });

  test('is passed over in bounded steps where it holds nothing for long', async () => {
    const path = await fileOf(Buffer.concat([Buffer.alloc(34_700_000, '\n'), Buffer.from('7\n')]));
    const first = await ndjsonSource.read(spec(path), 'all', null, { recordsMax: 10 });
    expect(first).toMatchObject({ values: [], ended: false });
    expect((first.position as { readonly byte: number }).byte).toBeLessThan(34_700_000);
    expect(await ndjsonSource.read(spec(path), 'all', first.position, { recordsMax: 10 })).toMatchObject({ values: [7], ended: true });
  });

  test('brings the same records in pieces of any size as at once', async () => {
    const values = fc.array(fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'grapheme', maxLength: 20 })), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        values,
        fc.array(fc.constantFrom('\n', '\r\n', '\n\n', '\n \n'), { minLength: 40, maxLength: 40 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
        async (records, breaks, endsWithBreak, recordsMax, limit) => {
          const text = records.map((record, i) => JSON.stringify(record) + (i < records.length - 1 || endsWithBreak ? breaks[i] : ''));
          const path = await fileOf(text.join(''));
          const expected = records.map((record) => JSON.parse(JSON.stringify(record)) as unknown).slice(0, limit);
          const read = await readAll(ndjsonSource, spec(path, limit === undefined ? {} : { limit }), recordsMax);
          expect(read.values).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('is read over the edges of chunks, characters of several bytes included', async () => {
    const records = Array.from({ length: 60 }, (_, i) => ({ i, text: '€'.repeat(20_000 + i) }));
    const path = await fileOf(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    expect((await readAll(ndjsonSource, spec(path), 7)).values).toEqual(records);
  });

  test('goes on exactly at a position, after its end too', async () => {
    const path = await fileOf('1\n2\n3\n');
    const first = await ndjsonSource.read(spec(path), 'all', null, { recordsMax: 2 });
    expect(first).toMatchObject({ values: [1, 2], ended: false, position: { byte: 4, line: 3 } });
    for (let again = 0; again < 2; again++) {
      const rest = await ndjsonSource.read(spec(path), 'all', first.position, { recordsMax: 2 });
      expect(rest).toMatchObject({ values: [3], ended: true });
      const after = await ndjsonSource.read(spec(path), 'all', rest.position, { recordsMax: 2 });
      expect(after).toMatchObject({ values: [], ended: true });
    }
  });

  test('hands out large records a few at a time', async () => {
    const line = `"${'x'.repeat(5_000_000)}"\n`;
    const path = await fileOf(line.repeat(12));
    const first = await ndjsonSource.read(spec(path), 'all', null, { recordsMax: 100 });
    expect(first.values.length).toBeLessThan(10);
    expect((await readToEnd(ndjsonSource, spec(path), 'all')).values).toHaveLength(12);
  });
});

describe('a malformed line', () => {
  test.each([
    ['{"a":1', 'JSON'],
    ['{"a":1}{"b":2}', 'JSON'],
    ['undefined', 'JSON'],
    [Buffer.from([0x22, 0xff, 0x22]), 'UTF-8'],
    [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'UTF-8'],
  ])('is refused with its file, byte and line: %s', async (line, reason) => {
    const path = await fileOf(Buffer.concat([Buffer.from('{"é":1}\r\n\n'), Buffer.from(line), Buffer.from('\n3\n')]));
    const error = await readAll(ndjsonSource, spec(path)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'SLUICE-RECORD-MALFORMED', facts: { file: path, byte: 11, line: 3 } });
    expect((error as Error).message).toContain(reason);
  });

  test('is set aside where the source is told so, and what surrounds it is read', async () => {
    const path = await fileOf(Buffer.concat([Buffer.from('1\n{]\n2\n'), Buffer.from([0xff, 10]), Buffer.from('3')]));
    for (const recordsMax of [1, 2, 100]) {
      const { values, malformed } = await readAll(ndjsonSource, spec(path, deadLetter), recordsMax);
      expect(values).toEqual([1, 2, 3]);
      expect(malformed.map(({ position, text }) => [position, text])).toEqual([
        [`file ${path}, byte 2, line 2`, '{]'],
        [`file ${path}, byte 7, line 4`, '\uFFFD'],
      ]);
    }
  });

  test('is one with a byte order mark that does not begin the file, wherever a call begins', async () => {
    const path = await fileOf('1\n\uFEFF2\n3');
    for (const recordsMax of [1, 10]) {
      const { values, malformed } = await readAll(ndjsonSource, spec(path, deadLetter), recordsMax);
      expect(values).toEqual([1, 3]);
      expect(malformed).toHaveLength(1);
    }
  });

  test('is one that is larger than a record may be, on whichever chunk it ends', async () => {
    const long = 'x'.repeat(limits.recordBytesMax);
    const fits = `"${'y'.repeat(limits.recordBytesMax - 2)}"`;
    for (const tail of ['', long]) {
      const path = await fileOf(`1\n"${long}${tail}"\n${fits}\n3`);
      await expect(readAll(ndjsonSource, spec(path))).rejects.toMatchObject({ code: 'SLUICE-RECORD-MALFORMED', facts: { line: 2 } });
      const { values, malformed } = await readAll(ndjsonSource, spec(path, deadLetter), 2);
      expect(values.map((value) => (typeof value === 'string' ? value.length : value))).toEqual([1, limits.recordBytesMax - 2, 3]);
      expect(malformed).toEqual([expect.objectContaining({ position: `file ${path}, byte 2, line 2` })]);
    }
  });

  test('is one that is too large and never ends', async () => {
    const path = await fileOf(`1\n${'x'.repeat(limits.recordBytesMax * 2)}`);
    for (const recordsMax of [1, 10]) {
      const { values, malformed } = await readAll(ndjsonSource, spec(path, deadLetter), recordsMax);
      expect(values).toEqual([1]);
      expect(malformed).toHaveLength(1);
    }
  });
});

describe('a folder', () => {
  test('has a split for each NDJSON file, in the order of their names, hidden ones and other files left out', async () => {
    await fileOf('2\n', 'b.ndjson');
    await fileOf('1\n', 'a.jsonl');
    await fileOf('3\n', 'B.NDJSON');
    await fileOf('9\n', '.staged.ndjson');
    await fileOf('9\n', 'notes.txt');
    await mkdir(join(folder, 'c.ndjson'));
    expect(await ndjsonSource.splits(spec(folder))).toEqual(['B.NDJSON', 'a.jsonl', 'b.ndjson']);
    expect((await readAll(ndjsonSource, spec(folder))).values).toEqual([3, 1, 2]);
  });

  test('with a limit is one split, so that the limit counts over all files', async () => {
    await fileOf('1\n2', 'a.ndjson');
    await fileOf('', 'b.ndjson');
    await fileOf('3\n4\n', 'c.ndjson');
    for (const recordsMax of [1, 2, 3, 10]) {
      for (const limit of [1, 2, 3, 4, 5]) {
        const source = spec(folder, { limit });
        expect(await ndjsonSource.splits(source)).toHaveLength(1);
        expect((await readAll(ndjsonSource, source, recordsMax)).values).toEqual([1, 2, 3, 4].slice(0, limit));
      }
    }
  });

  test('keeps to the files that it had when the job started', async () => {
    await fileOf('1\n', 'b.ndjson');
    await fileOf('2\n', 'c.ndjson');
    const source = spec(folder, { limit: 10 });
    const [split = ''] = await ndjsonSource.splits(source);
    await fileOf('0\n', 'a.ndjson');
    expect((await readToEnd(ndjsonSource, source, split)).values).toEqual([1, 2]);
  });

  test('may be empty', async () => {
    expect(await ndjsonSource.splits(spec(folder))).toEqual([]);
  });

  test.each(['../secret.ndjson', 'a.ndjson/../../b.ndjson', '..', ''])('is not left by a split named %j', async (split) => {
    const reading = ndjsonSource.read(spec(folder), split, null, { recordsMax: 1 });
    await expect(reading).rejects.toMatchObject({ code: 'SLUICE-INPUT-MISSING' });
  });
});

describe('what cannot be read', () => {
  test('is a path where nothing is, and one through a file', async () => {
    const path = await fileOf('1\n');
    for (const missing of [join(folder, 'none.ndjson'), `${path}/inside.ndjson`]) {
      await expect(readAll(ndjsonSource, spec(missing))).rejects.toMatchObject({
        code: 'SLUICE-INPUT-MISSING',
        message: expect.stringContaining(missing) as string,
      });
    }
  });

  test('is a file that vanished or became shorter than what was read', async () => {
    const path = await fileOf('1\n2\n');
    const { position } = await ndjsonSource.read(spec(path), 'all', null, { recordsMax: 2 });
    await truncate(path, 2);
    const reading = ndjsonSource.read(spec(path), 'all', position, { recordsMax: 2 });
    await expect(reading).rejects.toMatchObject({ code: 'SLUICE-INPUT-CORRUPT', facts: { file: path, byte: 4 } });
    await rm(path);
    await expect(ndjsonSource.read(spec(path), 'all', null, { recordsMax: 2 })).rejects.toMatchObject({ code: 'SLUICE-INPUT-MISSING' });
  });

  test('is a folder that a split names as a file', async () => {
    await mkdir(join(folder, 'inner.ndjson'));
    const reading = ndjsonSource.read(spec(folder), 'inner.ndjson', null, { recordsMax: 1 });
    await expect(reading).rejects.toMatchObject({ code: 'SLUICE-INPUT-UNREADABLE' });
  });

  test('is a file: URI that names another machine', async () => {
    await expect(ndjsonSource.splits(spec('file://elsewhere/orders.ndjson'))).rejects.toMatchObject({ code: 'SLUICE-CONNECTOR-OPTION' });
  });

  test.each([5, 'here', {}, { file: 0, byte: 1.5, line: 1, records: 0 }])('is a position that it did not write: %j', async (position) => {
    const path = await fileOf('1\n');
    const reading = ndjsonSource.read(spec(path), 'all', position, { recordsMax: 1 });
    await expect(reading).rejects.toMatchObject({ code: 'SLUICE-POSITION-INVALID' });
  });
});
