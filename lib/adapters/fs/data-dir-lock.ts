/** One process at a time works on a data directory. The lock names its holder; that of a process that is gone is taken over. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, SluiceError } from '../../base/errors.ts';

const fileName = 'lock';

/** @throws SluiceError `SLUICE-DATA-DIR-LOCKED` */
export function lockDataDirectory(directory: string): { release(): void } {
  const path = join(directory, fileName);
  for (let tries = 0; tries < 3; tries++) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      return { release: () => rmSync(path, { force: true }) };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      const holder = holderOf(path);
      if (holder !== undefined && isAlive(holder)) throw locked(directory, holder);
      rmSync(path, { force: true });
    }
  }
  throw locked(directory, holderOf(path) ?? 0);
}

function holderOf(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  // Our own number from an earlier life, in a container that always gives the same.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

function locked(directory: string, pid: number): SluiceError {
  return new SluiceError('SLUICE-DATA-DIR-LOCKED', `the data directory ${directory} is in use by process ${pid}`, {
    hint: 'Stop that run first (sluice stop, or Ctrl-C where it runs), or use another data directory.',
    facts: { directory, pid },
  });
}
