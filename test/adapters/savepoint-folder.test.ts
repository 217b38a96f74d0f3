import { mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFsSavepointFolders } from '../../lib/adapters/fs/savepoint-folder.ts';
import { MemorySavepointFolders } from '../../lib/adapters/memory/savepoint-folders.ts';
import { FakeS3 } from './aws/fake-s3.ts';
import { openS3Folders } from './aws/s3-folders.ts';
import type { SavepointFolder, SavepointFolders } from '../../lib/ports/savepoint-folder.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-savepoints-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8'));
const bytes = (content: string): Uint8Array => Buffer.from(content);

/** The port's contract; the memory adapter is the one that tests use. */
describe.each([
  ['fs', (): SavepointFolders => createFsSavepointFolders(), (): string => root],
  ['memory', (): SavepointFolders => new MemorySavepointFolders(), (): string => root],
  ['s3', (): SavepointFolders => openS3Folders(new FakeS3()), (): string => 's3://bucket/savepoints'],
] as const)('a savepoint folder (%s)', (_, make, directory) => {
  test('takes a file once and keeps it', async () => {
    const folder = make().inside(directory(), 'one');
    expect(await folder.createIfAbsent('state-x/0-1-0-a.ndjson.zst', bytes('first'))).toBe('created');
    expect(await folder.createIfAbsent('state-x/0-1-0-a.ndjson.zst', bytes('second'))).toBe('exists');
    expect(text(await folder.read('state-x/0-1-0-a.ndjson.zst'))).toBe('first');
    expect(await folder.read('nothing')).toBeUndefined();
  });

  test('lets one of many creators win', async () => {
    const folder = make().inside(directory(), 'one');
    const outcomes = await Promise.all([...Array(8).keys()].map((n) => folder.createIfAbsent('same', bytes(`try ${n}`))));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(text(await folder.read('same'))).toBe(`try ${outcomes.indexOf('created')}`);
  });

  test('lists what is in it, with sizes, and nothing where there is no folder', async () => {
    const folder = make().inside(directory(), 'one');
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

  const unusable: readonly (readonly [string, () => string])[] = [
    ['a file in its way', () => join(root, 'file')],
    ['a name that is too long', () => join(root, 'x'.repeat(300))],
    ['another scheme', () => 's3://bucket/savepoints'],
    ['a file URI of another machine', () => 'file://elsewhere/savepoints'],
    // Node's own recursive mkdir never ends there.
    ...(process.platform === 'linux' ? ([['a folder that takes none', () => '/proc/sluice']] as const) : []),
  ];
  describe.each(unusable)('with %s', (_, directory) => {
    test('is refused at once, with the reason and what to do', async () => {
      await writeFile(join(root, 'file'), '');
      const folder = async (): Promise<SavepointFolder> => createFsSavepointFolders().inside(directory(), 'one');
      const refusal = { code: 'SLUICE-FOLDER-UNUSABLE', retryable: false, hint: expect.stringContaining('Name another folder') };
      await expect(folder().then((made) => made.prepare())).rejects.toMatchObject(refusal);
      await expect(folder().then((made) => made.createIfAbsent('a/b', bytes('1')))).rejects.toMatchObject(refusal);
    });
  });

  test('that is prepared and given up leaves nothing, and what else is in it stays', async () => {
    const folder = createFsSavepointFolders().inside(root, 'one');
    await folder.prepare();
    await folder.remove([]);
    expect(await readdir(root)).toEqual([]);
    await folder.createIfAbsent('state-x/a', bytes('1'));
    await folder.createIfAbsent('mine', bytes('2'));
    await folder.remove(['state-x/a']);
    expect(await readdir(join(root, 'one'))).toEqual(['mine']);
  });

  test('whose file cannot be read says which and why, not that there is none', async () => {
    await symlink('loop', join(root, 'loop'));
    const refusal = {
      code: 'SLUICE-SAVEPOINT-UNREADABLE',
      retryable: false,
      message: expect.stringMatching(/loop.* cannot be read: ELOOP/),
    };
    const folder = createFsSavepointFolders().at(root);
    await expect(folder.read('loop')).rejects.toMatchObject(refusal);
    await expect(createFsSavepointFolders().at(join(root, 'loop')).list()).rejects.toMatchObject(refusal);
  });
});
