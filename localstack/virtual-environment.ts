/**
 * The Python packages of the emulator, in a virtual environment of their own: made once for each list of packages, in the cache folder.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../lib/base/errors.ts';
import { runCommand } from './run-command.ts';

/** Git ignores it. SLUICE_EMULATOR_CACHE names another. */
export const cacheFolder = process.env.SLUICE_EMULATOR_CACHE ?? join(import.meta.dirname, '.cache');

const requirements = join(import.meta.dirname, 'requirements.txt');
const candidates = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
const installTimeoutMs = 180_000;
/** Several test files that start together meet the same fault: the later ones take the first one's word for it. */
const failureHoldsMs = 60_000;

/** The first Python that can make a virtual environment, or undefined. */
export async function findPython(): Promise<string | undefined> {
  for (const candidate of candidates) {
    const { status } = await runCommand(candidate, ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))']);
    if (status === 0) return candidate;
  }
  return undefined;
}

/**
 * @returns the path of the environment's python
 * @throws SLUICE-LOCALSTACK-PYTHON, SLUICE-LOCALSTACK-PACKAGES
 */
export async function pythonEnvironment(say: (line: string) => void = () => undefined): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder, `python-${digest}`);
  const python = join(folder, 'bin', 'python');
  if (existsSync(join(folder, '.ready'))) return python;
  mkdirSync(cacheFolder, { recursive: true });
  return holdingLock(join(cacheFolder, `python-${digest}.lock`), async () => {
    if (!existsSync(join(folder, '.ready'))) await install(folder, python, say);
    return python;
  });
}

async function install(folder: string, python: string, say: (line: string) => void): Promise<void> {
  const failed = `${folder}.failed`;
  if (existsSync(failed) && Date.now() - statSync(failed).mtimeMs < failureHoldsMs) throw packagesMissing(readFileSync(failed, 'utf8'));
  const base = await findPython();
  if (base === undefined) {
    throw new SluiceError('SLUICE-LOCALSTACK-PYTHON', 'there is no Python 3.10 or newer with the module venv', {
      hint: 'Install Python 3 (on Debian also python3-venv), or name a server with AWS_ENDPOINT_URL.',
    });
  }
  say('installing the emulator, once for this version: about 10 s');
  rmSync(folder, { recursive: true, force: true });
  const made = await runCommand(base, ['-m', 'venv', folder]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--retries', '1', '--timeout', '15'];
  const installed = made.status === 0 ? await runCommand(python, [...pip, '-r', requirements], { timeoutMs: installTimeoutMs }) : made;
  if (installed.status !== 0) {
    const reason = installed.output.trim().split('\n').at(-1) ?? 'no reason was given';
    rmSync(folder, { recursive: true, force: true });
    writeFileSync(failed, reason);
    throw packagesMissing(reason);
  }
  rmSync(failed, { force: true });
  writeFileSync(join(folder, '.ready'), '');
}

function packagesMissing(reason: string): SluiceError {
  return new SluiceError('SLUICE-LOCALSTACK-PACKAGES', `the emulator's Python packages could not be installed: ${reason}`, {
    hint: 'Check that pip reaches a package index, or name a server with AWS_ENDPOINT_URL.',
  });
}

/** One of several processes installs, the others wait; the lock of a process that is gone is taken over. */
async function holdingLock<T>(lock: string, work: () => Promise<T>): Promise<T> {
  while (!takeLock(lock)) await sleep(200);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const holder = readOr(lock, '');
    // Empty: being written.
    if (holder !== '' && !isRunning(Number(holder))) rmSync(lock, { force: true });
    return false;
  }
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

export function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
