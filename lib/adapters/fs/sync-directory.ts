/** Folders that survive a power loss. */
import { mkdir, open } from 'node:fs/promises';
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

/** With those above it. Durable down to it: the name of a new folder stands in its parent. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = resolve(path); made !== dirname(resolve(first)); made = dirname(made)) await syncDirectory(dirname(made));
}
