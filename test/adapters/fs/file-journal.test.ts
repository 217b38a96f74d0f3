/** How often the journal syncs, what it does when the disk fails, and that its files end. */
import { existsSync, fstatSync, readdirSync, statSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LocalStores } from '../../../lib/adapters/memory/memory-stores.ts';
import { jobA, shardRecord } from '../../contract/sample-records.ts';
import { DataDirectories, logFile } from './data-directories.ts';
import { baseTables } from '../../setup/base-tables.ts';

type FileHandleMethods = Record<'datasync' | 'sync' | 'write' | 'writev', (...parameters: unknown[]) => Promise<unknown>>;

let directories: DataDirectories;
let data: string;
let methods: FileHandleMethods;

beforeEach(async () => {
  directories = new DataDirectories();
  data = directories.path('data');
  const handle = await openFile(directories.path('any'), 'w');
  await handle.close();
  methods = Object.getPrototypeOf(handle) as FileHandleMethods;
});
afterEach(() => {
  vi.restoreAllMocks();
  return directories.dispose();
});

const commit = (stores: LocalStores, version: number, shard = 0) =>
  stores.shards.commit(shardRecord({ version, shard }), { version: version - 1, attempt: 1 });
const versionOf = async (stores: LocalStores): Promise<number> =>
  (await stores.shards.read({ job: jobA, uid: shardRecord().uid, shard: 0 }))?.version ?? 0;

describe('the journal', () => {
  test('syncs once for all commits that wait, and not at all for what nobody waits for', async () => {
    const stores = await directories.open(data);
    const sync = vi.spyOn(methods, 'sync');
    const datasync = vi.spyOn(methods, 'datasync');
    await Promise.all(Array.from({ length: 50 }, (_, shard) => commit(stores, 1, shard)));
    expect(datasync).toHaveBeenCalledTimes(1);
    for (let version = 2; version <= 11; version++) {
      const body = Buffer.alloc(1_000);
      await stores.queue.sendBatch('q', [{ group: 'g', deduplicationId: String(version), body }]);
      await stores.objects.createIfAbsent(`segment-${version}`, body);
      await commit(stores, version);
    }
    expect(datasync.mock.calls.length, 'a commit, and at most one for what was under way').toBeLessThanOrEqual(1 + 2 * 10);
    expect(sync).not.toHaveBeenCalled();
  });

  test.each(['writev', 'datasync'] as const)('after a %s that failed tells nobody of anything, and leaves no gap', async (method) => {
    const stores = await directories.open(data);
    await commit(stores, 1);
    const failed = Promise.withResolvers<undefined>();
    vi.spyOn(methods, method).mockReturnValueOnce(failed.promise);
    const second = commit(stores, 2);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const meanwhile = commit(stores, 3);
    failed.reject(new Error('the disk is full'));
    await expect(second).rejects.toThrow('the disk is full');
    await expect(meanwhile).rejects.toThrow('the disk is full');
    await expect(commit(stores, 4)).rejects.toThrow('the disk is full');
    await expect(stores.durable()).rejects.toThrow('the disk is full');
    expect(directories.messages).toContain('the log cannot be written; nothing more is taken');
    await expect(stores.close()).rejects.toThrow('the disk is full');
    expect(existsSync(join(data, 'lock')), 'the directory is free again').toBe(false);
    const reopened = await directories.open(data);
    expect(await versionOf(reopened), 'a prefix').toBe(method === 'writev' ? 1 : 2);
    await reopened.close();
  });

  test('does not commit to the base what a failed log does not have', async () => {
    const stores = await directories.open(data);
    await commit(stores, 1);
    vi.spyOn(methods, 'writev').mockRejectedValueOnce(new Error('the disk is full'));
    const row = { operator: shardRecord().uid, state: 'sum', keyGroup: 3, key: '"a"', namespace: '' };
    await stores.base.write(jobA, 1, baseTables([{ ...row, value: 'early' }]));
    await expect(stores.close()).rejects.toThrow('the disk is full');
    expect(await (await directories.open(data)).base.read(jobA, [row])).toEqual([undefined]);
  });

  test('does not commit to the base what comes while the log is being synced', async () => {
    const stores = await directories.open(data);
    const row = { operator: shardRecord().uid, state: 'sum', keyGroup: 3, key: '"a"', namespace: '' };
    const synced = Promise.withResolvers<undefined>();
    vi.spyOn(methods, 'datasync').mockReturnValueOnce(synced.promise);
    const answered = commit(stores, 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await stores.base.write(jobA, 1, baseTables([{ ...row, value: 'early' }]));
    const written = Promise.withResolvers<undefined>();
    vi.spyOn(methods, 'writev').mockReturnValueOnce(written.promise);
    synced.resolve(undefined);
    await answered;
    const reopened = await directories.open(directories.copy(data));
    expect(await versionOf(reopened)).toBe(1);
    expect(await reopened.base.read(jobA, [row])).toEqual([undefined]);
    written.reject(new Error('enough'));
  });

  test('of a new generation needs nothing of the base that a power loss could take back', async () => {
    const stores = await directories.open(data, { generationBytes: 1 });
    const row = { operator: shardRecord().uid, state: 'sum', keyGroup: 3, key: '"a"', namespace: '' };
    await stores.base.write(jobA, 1, baseTables([{ ...row, value: 'kept' }]));
    for (let version = 1; /00000001/.test(logFile(data)); version++) await commit(stores, version);
    const copy = directories.copy(data, { without: ['base.sqlite-wal'] });
    expect(await (await directories.open(copy)).base.read(jobA, [row])).toEqual(['"kept"']);
  });

  test('replaces its file although somebody always writes', async () => {
    const stores = await directories.open(data, { generationBytes: 20_000 });
    let largest = 0;
    const writers = Array.from({ length: 4 }, async (_, shard) => {
      // Each one's commit is pending when another's is on disk.
      for (let turn = 0; turn < shard; turn++) await new Promise((resolve) => setImmediate(resolve));
      for (let version = 1; version <= 150; version++) {
        await commit(stores, version, shard);
        for (const name of readdirSync(data)) {
          if (name.startsWith('log-')) largest = Math.max(largest, statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0);
        }
      }
    });
    await Promise.all(writers);
    await stores.close();
    expect(Number(/log-(\d+)/.exec(logFile(data))![1])).toBeGreaterThan(3);
    expect(largest).toBeLessThan(500_000);
    const reopened = await directories.open(data);
    expect(await versionOf(reopened)).toBe(150);
  });

  test('makes the names of its files durable: of the folder itself, and of each generation', async () => {
    const folders: number[] = [];
    const original = methods.sync;
    vi.spyOn(methods, 'sync').mockImplementation(async function (this: unknown) {
      folders.push(fstatSync((this as { readonly fd: number }).fd).ino);
      await original.call(this);
    });
    const nested = join(data, 'of', 'mine');
    const stores = await directories.open(nested, { generationBytes: 1 });
    const inode = (path: string): number => statSync(path).ino;
    const synced = (path: string): number => folders.filter((ino) => ino === inode(path)).length;
    expect([directories.folder, data, join(data, 'of')].map(synced)).toEqual([1, 1, 1]);
    const before = synced(nested);
    expect(before).toBeGreaterThanOrEqual(2);
    for (let version = 1; /00000001/.test(logFile(nested)); version++) await commit(stores, version);
    expect(synced(nested)).toBe(before + 1);
  });

  test('marks what is on disk only when it is', async () => {
    const stores = await directories.open(data);
    const order: string[] = [];
    for (const method of ['writev', 'datasync', 'write'] as const) {
      const original = methods[method];
      vi.spyOn(methods, method).mockImplementation(async function (this: unknown, ...parameters: unknown[]) {
        order.push(`${method} begins`);
        const result = await original.call(this, ...parameters);
        order.push(`${method} ends`);
        return result;
      });
    }
    await commit(stores, 1);
    expect(order).toEqual(['writev', 'datasync', 'write'].flatMap((method) => [`${method} begins`, `${method} ends`]));
  });

  test('syncs at a start what an earlier process may have left in the page cache, before anybody sees it', async () => {
    const stores = await directories.open(data);
    await commit(stores, 1);
    await stores.close();
    vi.spyOn(methods, 'sync').mockRejectedValueOnce(new Error('the disk is gone'));
    await expect(directories.open(data)).rejects.toThrow('the disk is gone');
    expect(await versionOf(await directories.open(data))).toBe(1);
  });
});
