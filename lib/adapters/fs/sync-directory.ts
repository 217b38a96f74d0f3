/** Folders that survive a power loss. */
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorCode } from '../../base/errors.ts';

/** Makes names in it durable: created, renamed, removed. Where the system cannot do that (Windows), nothing is left to be done. */
export async function syncDirectory(path: string): Promise<void> {
  const ignored = (error: unknown): undefined => {
    if (!['EPERM', 'EINVAL', 'EISDIR'].includes(errorCode(error) ?? '')) throw error;
  };
  const directory = await open(path, 'r').catch(ignored);
  try {
    await directory?.sync().catch(ignored);
  } finally {
    await directory?.close();
  }
}

/**
 * With those above it. Durable down to it: the name of a new folder stands in its parent. Not by Node's `recursive`, which never ends where a folder that
 * is there takes no new name and says ENOENT, as /proc does.
 */
export async function makeDirectory(path: string): Promise<void> {
  const folder = resolve(path);
  if (await isDirectory(folder)) return;
  const parent = dirname(folder);
  await makeDirectory(parent);
  try {
    await mkdir(folder);
  } catch (error) {
    // Another process was faster.
    if (errorCode(error) !== 'EEXIST' || !(await isDirectory(folder))) throw error;
  }
  await syncDirectory(parent);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    // The root of a drive that is not there has no parent to make it in.
    if (errorCode(error) === 'ENOENT' && dirname(path) !== path) return false;
    throw error;
  }
}
