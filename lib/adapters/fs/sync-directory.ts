import { open } from 'node:fs/promises';

/** Makes names in a folder survive a power loss: created, renamed, removed. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
