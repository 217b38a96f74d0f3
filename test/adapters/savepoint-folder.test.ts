import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import type { SavepointFolders } from '../../lib/ports/savepoint-folder.ts';
import { MemorySavepointFolders } from '../../lib/adapters/memory/savepoint-folders.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-savepoints-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8'));
const bytes = (content: string): Uint8Array => Buffer.from(content);

/** The port's contract; the memory adapter is the one that tests use. */
describe.each([
  ['fs', (): SavepointFolders => createFsSavepointFolders()],
  ['memory', (): SavepointFolders => new MemorySavepointFolders()],
] as const)('a savepoint folder (%s)', (_, make) => {
  test('takes a file once and keeps it', async () => {
    const folder = make().inside(root, 'one');
    expect(await folder.createIfAbsent('state-x/0-1-0-a.ndjson.zst', bytes('first'))).toBe('created');
    expect(await folder.createIfAbsent('state-x/0-1-0-a.ndjson.zst', bytes('second'))).toBe('exists');
    expect(text(await folder.read('state-x/0-1-0-a.ndjson.zst'))).toBe('first');
    expect(await folder.read('nothing')).toBeUndefined();
  });

  test('lets one of many creators win', async () => {
    const folder = make().inside(root, 'one');
    const outcomes = await Promise.all([...Array(8).keys()].map((n) => folder.createIfAbsent('same', bytes(`try ${n}`))));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(text(await folder.read('same'))).toBe(`try ${outcomes.indexOf('created')}`);
  });

  test('lists what is in it, with sizes, and nothing where there is no folder', async () => {
    const folder = make().inside(root, 'one');
    expect(await folder.list()).toEqual([]);
    await folder.createIfAbsent('b', bytes('12'));
    await folder.createIfAbsent('a/c', bytes('345'));
    expect([...(await folder.list())].sort((x, y) => (x.path < y.path ? -1 : 1))).toEqual([
      { path: 'a/c', bytes: 3 },
      { path: 'b', bytes: 2 },
    ]);
    await folder.remove(['b', 'not there']);
    expect(await folder.list()).toEqual([{ path: 'a/c', bytes: 3 }]);
  });
});

describe('a savepoint folder on disk', () => {
  test('is the same by path, by URL and by the path of its metadata', async () => {
    const folders = createFsSavepointFolders();
    await folders.inside(root, 'one').createIfAbsent('_metadata.json', bytes('{}'));
    const place = join(root, 'one');
    for (const location of [place, `${place}/`, pathToFileURL(place).href, join(place, '_metadata.json')]) {
      const folder = folders.at(location);
      expect(folder.location).toBe(place);
      expect(text(await folder.read('_metadata.json'))).toBe('{}');
    }
  });

  test('may be moved as a whole', async () => {
    const folders = createFsSavepointFolders();
    await folders.inside(root, 'one').createIfAbsent('state-x/file', bytes('content'));
    await rename(join(root, 'one'), join(root, 'two'));
    expect(text(await folders.inside(root, 'two').read('state-x/file'))).toBe('content');
  });

  test('cannot be left', async () => {
    const folder = createFsSavepointFolders().inside(root, 'one');
    await writeFile(join(root, 'secret'), 'x');
    for (const path of ['../secret', 'a/../../secret', '/etc/hostname', '']) {
      expect(() => folder.read(path), path).toThrowError(expect.objectContaining({ code: 'SLUICE-SAVEPOINT-CORRUPT' }) as Error);
    }
  });

  test('shows no half-written file, and leaves none behind', async () => {
    const folder = createFsSavepointFolders().inside(root, 'one');
    await folder.createIfAbsent('file', bytes('whole'));
    await folder.createIfAbsent('file', bytes('again'));
    await writeFile(join(root, 'one', '.file.0123.tmp'), 'half');
    expect(await folder.list()).toEqual([{ path: 'file', bytes: 5 }]);
    expect((await readdir(join(root, 'one'))).sort()).toEqual(['.file.0123.tmp', 'file']);
  });
});
