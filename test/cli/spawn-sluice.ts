import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ran } from './test-io.ts';

const bin = fileURLToPath(new URL('../../bin/sluice.mjs', import.meta.url));

export const oldNode = `data:text/javascript,${encodeURIComponent(
  'if (process.env.SLUICE_RESTARTED === undefined) Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.0" } });',
)}`;

interface SpawnOptions {
  readonly folder?: string;
  /** Makes the process believe that it is an older Node, until it has started itself again. */
  readonly asOldNode?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export function startSluice(args: readonly string[], { folder, asOldNode, env }: SpawnOptions = {}): ChildProcess {
  return spawn(process.execPath, [...(asOldNode === true ? ['--import', oldNode] : []), bin, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(folder === undefined ? {} : { cwd: folder }),
  });
}

export interface Exited extends Ran {
  readonly signal: NodeJS.Signals | null;
}

export function exited(child: ChildProcess): Promise<Exited> {
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode: exitCode ?? -1, signal, out, err }));
  });
}

/** The real command, in a process of its own. */
export async function spawnSluice(args: readonly string[], options: SpawnOptions = {}): Promise<Exited> {
  return exited(startSluice(args, options));
}
