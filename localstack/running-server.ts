/** The server that `localstack:up` has left running, remembered for the other commands. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ourServerAt } from './server.ts';
import { cacheFolder, isRunning } from './virtual-environment.ts';

export interface RememberedServer {
  readonly endpoint: string;
  readonly pid: number;
  readonly auth: boolean;
  readonly logFile: string;
  readonly temporaryFolder: string;
  readonly isBootstrapped: boolean;
}

const file = join(cacheFolder, 'running.json');
const stopTimeoutMs = 5_000;

export function remember(server: RememberedServer): void {
  mkdirSync(cacheFolder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(server, undefined, 2)}\n`);
}

/** Undefined where none was started, or what was has ended: its address may be another's by now, and its pid too. */
export async function rememberedServer(): Promise<RememberedServer | undefined> {
  const server = readRemembered();
  if (server === undefined || !isRunning(server.pid)) return undefined;
  return (await ourServerAt(server.endpoint))?.pid === server.pid ? server : undefined;
}

/** By its pid, which the server itself has confirmed. */
export async function stopRemembered(): Promise<RememberedServer | undefined> {
  const server = await rememberedServer();
  const left = server ?? readRemembered();
  if (server !== undefined) {
    process.kill(server.pid, 'SIGTERM');
    const giveUpAtMs = Date.now() + stopTimeoutMs;
    while (isRunning(server.pid) && Date.now() < giveUpAtMs) await sleep(50);
    if (isRunning(server.pid)) process.kill(server.pid, 'SIGKILL');
  }
  if (left !== undefined) rmSync(left.temporaryFolder, { recursive: true, force: true });
  rmSync(file, { force: true });
  return server;
}

function readRemembered(): RememberedServer | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RememberedServer;
  } catch {
    return undefined;
  }
}
