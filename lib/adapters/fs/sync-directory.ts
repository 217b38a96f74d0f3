import { open } from 'node:fs/promises';
import { errorCode } from '../../base/errors.ts';

/**
 * Makes names in a folder survive a power loss: created, renamed, removed. Where the system cannot do that (Windows refuses to open or to sync a folder),
 * nothing is left to be done.
 */
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
