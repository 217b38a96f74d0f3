/** The dead letters of a data directory whose job does not run: its lock is taken while they are read. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createFileStores } from '../adapters/fs/file-stores.ts';
import { readDeadLetters } from '../coordinator/read-dead-letters.ts';
import type { DeadLetter } from '../model/dead-letter.ts';
import type { LocalSystem } from './local-engine.ts';

/** What only a data directory has. */
const dataDirectoryMark = 'base.sqlite';

/** `job`: its name, or the beginning of its id. Undefined where the folder holds no such job. */
export async function deadLettersAtRest(
  directory: string,
  job: string,
  system: Pick<LocalSystem, 'clock' | 'timers' | 'random' | 'logger'>,
): Promise<readonly DeadLetter[] | undefined> {
  if (!existsSync(join(directory, dataDirectoryMark))) return undefined;
  const stores = await createFileStores({ ...system, directory });
  try {
    const record = (await stores.jobs.list()).find(
      ({ name, job: id }) => name === job || (job.length >= 4 && id.startsWith(job.toLowerCase())),
    );
    return record === undefined ? undefined : await readDeadLetters(stores.objects, record.job);
  } finally {
    await stores.close();
  }
}
