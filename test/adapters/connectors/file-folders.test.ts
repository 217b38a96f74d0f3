/** What NDJSON and Parquet have in common with files on a disk: gzip, several files, and what is loaded for them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mergeRanges } from '../../../lib/adapters/connectors/byte-ranges.ts';
import { createFileConnectors } from '../../../lib/adapters/connectors/file-connectors.ts';
import { limits } from '../../../lib/base/limits.ts';
import type { ConnectorSpec } from '../../../lib/model/job-plan.ts';
import { readAll, readToEnd } from './read-split.ts';
import { writeParquet } from './write-parquet.ts';

const { sources } = createFileConnectors();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-files-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function spec(connector: string, uri: string, options: Record<string, unknown> = {}): ConnectorSpec {
  return { connector, options: { uri, ...options }, guarantee: 'exactly-once' };
}

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

describe('a folder on a disk', () => {
  test('may hold gzip files beside plain ones', async () => {
    await fileOf('a.ndjson', '1\n');
    await fileOf('b.ndjson.gz', gzipSync('2\n3\n'));
    for (const recordsMax of [1, 10])
      expect((await readAll(sources['ndjson']!, spec('ndjson', folder), recordsMax)).values).toEqual([1, 2, 3]);
  });

  test('may be named by an ending, and holds Parquet files too', async () => {
    for (const name of ['b', 'a'])
      await fileOf(`${name}.parquet`, writeParquet([{ name: 'of', type: 'INT32', values: [name.charCodeAt(0)] }]));
    await fileOf('c.txt', 'x');
    const source = spec('parquet', join(folder, '*.parquet'));
    expect(await sources['parquet']!.splits(source)).toEqual(['a.parquet', 'b.parquet']);
    expect((await readAll(sources['parquet']!, source)).values).toEqual([{ of: 97 }, { of: 98 }]);
    expect(await sources['parquet']!.splits(spec('parquet', folder))).toEqual(['a.parquet', 'b.parquet']);
  });

  test('with very many files is refused before they become a shard record that nobody can store', async () => {
    const name = 'x'.repeat(200);
    const names = Array.from({ length: 1_000 }, (_, i) => `${name}${i}.ndjson`);
    await Promise.all(names.map((one) => fileOf(one, '')));
    await expect(sources['ndjson']!.splits(spec('ndjson', folder))).rejects.toMatchObject({
      code: 'SLUICE-INPUT-TOO-LARGE',
      facts: { path: folder, files: 1_000 },
    });
  });
});

describe('a gzip file on a disk', () => {
  test('is read anew where it was replaced, and refused where it became shorter than what was read', async () => {
    const path = await fileOf('a.ndjson.gz', gzipSync('1\n2\n3\n'));
    const reader = sources['ndjson']!;
    const { position } = await reader.read(spec('ndjson', path), 'all', null, { recordsMax: 2 });
    await fileOf('a.ndjson.gz', gzipSync('1\n2\n4444\n'));
    expect((await reader.read(spec('ndjson', path), 'all', position, { recordsMax: 2 })).values).toEqual([4444]);
    await fileOf('a.ndjson.gz', gzipSync('1\n'));
    await expect(reader.read(spec('ndjson', path), 'all', position, { recordsMax: 2 })).rejects.toMatchObject({
      code: 'SLUICE-INPUT-CORRUPT',
    });
  });

  test('has its malformed lines set aside with their place in the text', async () => {
    const path = await fileOf('a.ndjson.gz', gzipSync('1\n{]\n2\n'));
    const { values, malformed } = await readToEnd(sources['ndjson']!, spec('ndjson', path, { onMalformed: 'dead-letter' }), 'all', 1);
    expect(values).toEqual([1, 2]);
    expect(malformed.map(({ position }) => position)).toEqual([`file ${path}, byte 2, line 2`]);
  });

  test('that grows a thousandfold is passed over in bounded steps', async () => {
    const path = await fileOf('a.ndjson.gz', gzipSync(`${' '.repeat(999_999)}\n`.repeat(70) + '7\n'));
    expect((await readToEnd(sources['ndjson']!, spec('ndjson', path), 'all')).values).toEqual([7]);
    const { position, values } = await sources['ndjson']!.read(spec('ndjson', path), 'all', null, { recordsMax: 1 });
    expect(values).toEqual([]);
    expect((position as { readonly byte: number }).byte).toBeLessThan(70_000_000);
  });

  test('that is too large to be begun again is refused before its first record', async () => {
    const path = await fileOf('a.ndjson.gz', '');
    await truncate(path, limits.gzipFileBytesMax + 1);
    await expect(readAll(sources['ndjson']!, spec('ndjson', path))).rejects.toMatchObject({
      code: 'SLUICE-INPUT-TOO-LARGE',
      facts: { file: path },
    });
  });
});

describe('what is loaded', () => {
  test('for files on a disk is nothing of the AWS SDK, and Parquet only where it is read', async () => {
    const path = await fileOf('a.ndjson', '1\n');
    const connectors = new URL('../../../lib/adapters/connectors/local-connectors.ts', import.meta.url).href;
    const script = `
      import { registerHooks } from 'node:module';
      const seen = new Set();
      registerHooks({ load(url, context, next) { seen.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? 'own'); return next(url, context); } });
      const { createLocalConnectors } = await import(${JSON.stringify(connectors)});
      const { sources, sinks } = createLocalConnectors();
      const source = { connector: 'ndjson', options: { uri: ${JSON.stringify(path)} }, guarantee: 'exactly-once' };
      const { values } = await sources.ndjson.read(source, 'all', null, { recordsMax: 9 });
      await sinks['ndjson-files'].discardAbove({ ...source, options: { uri: ${JSON.stringify(folder)} } }, 'a', 0, 9);
      console.log(JSON.stringify([values, [...seen]]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(JSON.parse(stdout)).toEqual([[1], ['own']]);
  });

  test('of a bundle begins without Parquet and the AWS SDK: they are chunks of their own', async () => {
    const { metafile } = await build({
      entryPoints: [new URL('../../../lib/adapters/connectors/file-connectors.ts', import.meta.url).pathname],
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      outdir: folder,
      write: false,
      metafile: true,
      logLevel: 'silent',
    });
    const outputs = Object.entries(metafile.outputs);
    const [entry] = outputs.find(([, { entryPoint }]) => entryPoint?.endsWith('file-connectors.ts'))!;
    // All that is loaded with it, by static imports only.
    const loaded = new Set([entry]);
    for (const path of loaded) {
      for (const { path: next, kind, external } of metafile.outputs[path]!.imports)
        if (kind === 'import-statement' && !external) loaded.add(next);
    }
    const packages = new Set(
      [...loaded].flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {})).filter((path) => path.includes('node_modules')),
    );
    expect([...packages]).toEqual([]);
    expect(outputs.some(([, { inputs }]) => Object.keys(inputs).some((path) => path.includes('hyparquet')))).toBe(true);
  });
});

describe('ranges', () => {
  test.each([
    [[], []],
    [
      [
        [5, 9],
        [0, 4],
      ],
      [[0, 9]],
    ],
    [
      [
        [0, 4],
        [7, 9],
      ],
      [
        [0, 4],
        [7, 9],
      ],
    ],
    [
      [
        [0, 10],
        [2, 3],
        [11, 12],
      ],
      [[0, 12]],
    ],
    [
      [
        [0, 60],
        [60, 120],
      ],
      [
        [0, 60],
        [60, 120],
      ],
    ],
    [
      [
        [0, 200],
        [200, 201],
      ],
      [
        [0, 200],
        [200, 201],
      ],
    ],
  ])('%j are read as %j', (given, merged) => {
    const ranges = mergeRanges(
      given.map(([from = 0, to = 0]) => ({ from, to })),
      2,
      100,
    );
    expect(ranges.map(({ from, to }) => [from, to])).toEqual(merged);
  });
});
