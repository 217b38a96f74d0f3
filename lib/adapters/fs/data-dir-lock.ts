/** One process at a time works on a data directory. The lock names its holder; that of a process that is gone is taken over. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorCode, SluiceError } from '../../base/errors.ts';

const fileName = 'lock';
/** Held by this process: a lock file with our number that is not among them is from an earlier life, in a container that always gives the same. */
const held = new Set<string>();

/** @throws SluiceError `SLUICE-DATA-DIR-LOCKED` */
export function lockDataDirectory(directory: string): { release(): void } {
  const path = resolve(directory, fileName);
  for (let tries = 0; tries < 3; tries++) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      held.add(path);
      return { release: () => release(path) };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      const holder = holderOf(path);
      if (holder !== undefined && (holder === process.pid ? held.has(path) : isAlive(holder))) throw locked(directory, holder);
      rmSync(path, { force: true });
    }
  }
  throw locked(directory, holderOf(path) ?? 0);
}

function release(path: string): void {
  held.delete(path);
  rmSync(path, { force: true });
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
  try {
    process.kill(pid, 0);
    return !isUnreaped(pid);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** Killed, and its parent has not asked how it ended: in a container the first process often never does. Where there is no /proc it cannot be told. */
function isUnreaped(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function locked(directory: string, pid: number): SluiceError {
  return new SluiceError('SLUICE-DATA-DIR-LOCKED', `the data directory ${directory} is in use by process ${pid}`, {
    hint: 'Stop that run first (sluice stop, or Ctrl-C where it runs), or use another data directory.',
    facts: { directory, pid },
  });
}
