/** Large objects as files: what a crash leaves at each step, and what damage does. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileObjectStore } from '../../../lib/adapters/fs/file-object-store.ts';
import type { LocalStores } from '../../../lib/adapters/memory/memory-stores.ts';
import { silentLogger } from '../../../lib/adapters/system/logger.ts';
import { jobRecord } from '../../contract/sample-records.ts';
import { ManualTime } from '../../contract/manual-time.ts';
import { DataDirectories, logFile } from './data-directories.ts';

const largestInLog = 256 * 1024;
const large = (fill: number, size = largestInLog + 1): Uint8Array => new Uint8Array(size).fill(fill);
const first = '00000001.object';
let directories: DataDirectories;
let data: string;
let stores: LocalStores;

beforeEach(async () => {
  directories = new DataDirectories();
  data = directories.path('data');
  stores = await directories.open(data);
});
afterEach(() => {
  vi.restoreAllMocks();
  return directories.dispose();
});

const filesOf = (directory: string): readonly string[] => readdirSync(join(directory, 'objects')).sort();
const fillOf = async ({ objects }: LocalStores, key: string): Promise<number | undefined> => (await objects.read(key))?.[0];
const damaged = (directory: string, problem: string) => ({
  code: 'SLUICE-OBJECT-DAMAGED',
  message: expect.stringContaining(join(directory, 'objects', first)) as string,
  facts: { problem: expect.stringContaining(problem) as string },
});

/** Every file handle in this process has it; a test holds it back or lets it fail. */
async function fileHandle(): Promise<Record<'datasync' | 'sync', () => Promise<void>>> {
  const handle = await openFile(join(directories.folder, 'any'), 'w');
  await handle.close();
  return Object.getPrototypeOf(handle) as Record<'datasync' | 'sync', () => Promise<void>>;
}

describe('an object above 256 KiB', () => {
  test('is a file, which the log only names; up to there it is in the log', async () => {
    const before = statSync(logFile(data)).size;
    await stores.objects.createIfAbsent('large', large(7));
    await stores.durable();
    expect(statSync(logFile(data)).size - before).toBeLessThan(300);
    expect(filesOf(data)).toEqual([first]);
    await stores.objects.createIfAbsent('small', large(8, largestInLog));
    await stores.durable();
    expect(statSync(logFile(data)).size - before).toBeGreaterThan(largestInLog);
    expect(filesOf(data)).toEqual([first]);
  });

  test('is there after a kill as soon as it is durable, and before only together with its entry', async () => {
    await stores.objects.createIfAbsent('told', large(1));
    await stores.durable();
    const durable = readFileSync(logFile(data));
    await stores.objects.createIfAbsent('not-told', large(2));
    await stores.durable();
    expect(filesOf(data)).toHaveLength(2);
    const killed = await directories.open(directories.copy(data));
    expect([await fillOf(killed, 'told'), await fillOf(killed, 'not-told')]).toEqual([1, 2]);
    const copy = directories.copy(data, { log: durable });
    const earlier = await directories.open(copy);
    expect([await fillOf(earlier, 'told'), await fillOf(earlier, 'not-told')]).toEqual([1, undefined]);
    expect(filesOf(copy), 'a file that nothing names').toEqual([first]);
    await earlier.objects.createIfAbsent('not-told', large(3));
    expect([await fillOf(earlier, 'told'), await fillOf(earlier, 'not-told')]).toEqual([1, 3]);
  });

  test('that was being written at a kill leaves nothing behind', async () => {
    await stores.objects.createIfAbsent('a', large(1));
    await stores.durable();
    const copy = directories.copy(data);
    writeFileSync(join(copy, 'objects', '00000002.object.part'), 'half');
    const reopened = await directories.open(copy);
    expect(filesOf(copy)).toEqual([first]);
    expect(await fillOf(reopened, 'a')).toBe(1);
  });

  test('is not named by the log before its file and the file’s name are synced', async () => {
    const log = logFile(data);
    const empty = statSync(log).size;
    const events: string[] = [];
    const handle = await fileHandle();
    for (const method of ['datasync', 'sync'] as const) {
      const original = handle[method];
      vi.spyOn(handle, method).mockImplementation(async function (this: unknown) {
        events.push(`${method} with ${filesOf(data).join()} and ${statSync(log).size > empty ? 'an entry' : 'no entry'}`);
        await original.call(this as never);
      });
    }
    await stores.objects.createIfAbsent('a', large(1));
    await stores.durable();
    expect(events).toEqual([
      `datasync with ${first}.part and no entry`,
      `sync with ${first} and no entry`,
      `datasync with ${first} and an entry`,
    ]);
  });

  test('that cannot be written does not exist, and can be tried again', async () => {
    vi.spyOn(await fileHandle(), 'datasync').mockRejectedValueOnce(new Error('no space left'));
    const outcomes = await Promise.allSettled([
      stores.objects.createIfAbsent('a', large(1)),
      stores.objects.createIfAbsent('a', large(2)),
      stores.objects.createIfAbsent('a', large(3, 10)),
    ]);
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason)))).toEqual([
      expect.stringMatching(/^SluiceError: the object file .*00000001\.object cannot be written: no space left$/),
      'created',
      'exists',
    ]);
    expect(await fillOf(stores, 'a')).toBe(2);
    expect(filesOf(data)).toEqual(['00000002.object']);
  });

  test('that is removed keeps its file until the removal is on disk', async () => {
    await stores.objects.createIfAbsent('a', large(1));
    await stores.durable();
    const removed = Promise.withResolvers<void>();
    vi.spyOn(await fileHandle(), 'datasync').mockImplementationOnce(() => removed.promise);
    await stores.objects.remove(['a']);
    expect(await fillOf(stores, 'a')).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(filesOf(data)).toEqual([first]);
    removed.resolve();
    await vi.waitFor(() => expect(filesOf(data)).toEqual([]));
  });

  test('that was removed right before a kill is there or gone, as its removal is', async () => {
    await stores.objects.createIfAbsent('a', large(1));
    await stores.durable();
    const before = directories.copy(data);
    await stores.objects.remove(['a']);
    await stores.durable();
    expect(await fillOf(await directories.open(directories.copy(before)), 'a')).toBe(1);
    const copy = directories.copy(before, { log: readFileSync(logFile(data)) });
    expect(existsSync(join(copy, 'objects', first)), 'not yet deleted').toBe(true);
    expect(await fillOf(await directories.open(copy), 'a')).toBeUndefined();
    expect(filesOf(copy)).toEqual([]);
  });

  test('created again under its key is another file', async () => {
    for (let round = 1; round <= 3; round++) {
      expect(await stores.objects.createIfAbsent('a', large(round))).toBe('created');
      expect(await stores.objects.createIfAbsent('a', large(9))).toBe('exists');
      expect(await fillOf(stores, 'a')).toBe(round);
      if (round < 3) await stores.objects.remove(['a']);
    }
    await stores.close();
    expect(filesOf(data)).toEqual(['00000003.object']);
    expect(await fillOf(await directories.open(data), 'a')).toBe(3);
  });

  test('that is removed while it is read is absent, and one created again meanwhile is read', async () => {
    const file = { file: first, size: largestInLog + 1, crc32: 0 };
    for (const again of [false, true]) {
      const opened = Promise.withResolvers<Uint8Array>();
      const read = vi.fn<() => Promise<Uint8Array>>().mockReturnValueOnce(opened.promise).mockResolvedValue(large(2));
      const files = { create: async () => ({ ...file }), read, remove: async () => undefined };
      const journal = { append: () => 1, room: () => undefined, durable: async () => undefined };
      const store = new FileObjectStore({ clock: new ManualTime().clock, logger: silentLogger, journal, files });
      await store.createIfAbsent('a', large(1));
      const reading = store.read('a');
      await store.remove(['a']);
      if (again) await store.createIfAbsent('a', large(2));
      opened.reject(new Error('the file is missing'));
      expect((await reading)?.[0]).toBe(again ? 2 : undefined);
    }
  });

  test('stays the same file when the log is replaced, which does not hold it', async () => {
    await stores.objects.createIfAbsent('a', large(1));
    await stores.objects.createIfAbsent('b', large(2));
    await stores.objects.remove(['b']);
    await stores.close();
    const { ino } = statSync(join(data, 'objects', first));
    const again = await directories.open(data, { generationBytes: 1 });
    await again.jobs.create(jobRecord());
    for (let version = 1; version < 60; version++) await again.jobs.replace(jobRecord({ version: version + 1 }), version);
    expect(logFile(data)).not.toMatch(/00000001/);
    await again.close();
    expect(filesOf(data)).toEqual([first]);
    expect(statSync(join(data, 'objects', first)).ino).toBe(ino);
    expect(await fillOf(await directories.open(data), 'a')).toBe(1);
  });
});

describe('a damaged object file', () => {
  let closed: string;
  let path: string;
  beforeEach(async () => {
    const content = Uint8Array.from({ length: largestInLog + 1 }, (_, i) => (i * 31) >> 3);
    await stores.objects.createIfAbsent('a', content);
    await stores.close();
    closed = directories.copy(data);
    path = join(closed, 'objects', first);
  });

  test('is never read, whichever byte has changed', async () => {
    const whole = readFileSync(path);
    const reopened = await directories.open(closed);
    for (const at of [0, 1, 4_095, 100_000, whole.length - 1]) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1;
      writeFileSync(path, changed);
      await expect(reopened.objects.read('a'), `byte ${at}`).rejects.toMatchObject(damaged(closed, 'checksum'));
    }
    writeFileSync(path, whole);
    expect((await reopened.objects.read('a'))?.length).toBe(whole.length);
  });

  test.each([
    ['missing', () => rmSync(path), 'missing'],
    ['shorter', () => truncateSync(path, 1_000), 'bytes instead of'],
    ['longer', () => writeFileSync(path, 'x', { flag: 'a' }), 'bytes instead of'],
  ])('that is %s is told at the start, is never read, and its name is not given again', async (_name, damage, problem) => {
    damage();
    const reopened = await directories.open(closed);
    expect(reopened.lost).toEqual([{ key: 'a', path, problem: expect.stringContaining(problem) as string }]);
    await expect(reopened.objects.read('a')).rejects.toMatchObject(damaged(closed, problem));
    await reopened.objects.createIfAbsent('b', large(2));
    await reopened.objects.remove(['a']);
    await reopened.durable();
    await reopened.close();
    const again = await directories.open(closed);
    expect([again.lost, await fillOf(again, 'b')]).toEqual([[], 2]);
  });

  test('that is damaged while the directory is open is not read either', async () => {
    const reopened = await directories.open(closed);
    expect(reopened.lost).toEqual([]);
    rmSync(path);
    await expect(reopened.objects.read('a')).rejects.toMatchObject(damaged(closed, 'missing'));
  });

  test('is not removed where the log is gone', async () => {
    const copy = directories.copy(closed, { without: ['log-'] });
    for (const time of ['first', 'second'])
      await expect(directories.open(copy), time).rejects.toMatchObject({ code: 'SLUICE-LOG-DAMAGED' });
    expect(filesOf(copy)).toEqual([first]);
  });
});
