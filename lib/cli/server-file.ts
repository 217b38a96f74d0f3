/** `server.json` in the data directory: how other commands find the server of a run. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../base/errors.ts';

export interface ServerFile {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** What tells this server from another one that has the same port later. */
  readonly job: string;
  readonly startedAt: string;
}

const fileName = 'server.json';

export function writeServerFile(dataDir: string, file: ServerFile): void {
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, fileName), `${JSON.stringify(file, null, 2)}\n`);
}

/** Only our own: a run that came after has written its own. */
export function removeServerFile(dataDir: string, pid: number): void {
  if (readFile(dataDir)?.pid === pid) rmSync(join(dataDir, fileName), { force: true });
}

/** @throws SluiceError `SLUICE-SERVER-FILE` */
export function readServerFile(dataDir: string): ServerFile {
  const file = readFile(dataDir);
  if (typeof file?.url === 'string') return file;
  throw serverFileError(dataDir, existsSync(dataDir) ? `nothing runs with the data directory ${dataDir}` : `there is no folder ${dataDir}`);
}

export function serverFileError(dataDir: string, message: string): SluiceError {
  return new SluiceError('SLUICE-SERVER-FILE', message, {
    hint: 'Start a run there with `sluice run JOB.ts --data-dir …`, or name a server with --server URL.',
    facts: { dataDir },
  });
}

function readFile(dataDir: string): ServerFile | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, fileName), 'utf8')) as ServerFile;
  } catch {
    return undefined;
  }
}
