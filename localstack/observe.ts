/** What our own server tells beyond AWS (observer.py), and what MiniStack lets tests do to it. */
import { SluiceError } from '../lib/base/errors.ts';
import type { Emulator, FunctionProcess, ServerCounts } from './emulator.ts';

/** How many requests the server saw since it began to count; with `restart` it counts anew. */
export async function requestCounts(emulator: Emulator, { restart = false } = {}): Promise<ServerCounts> {
  return (await ask(emulator, restart ? 'DELETE' : 'GET', '/_sluice/requests')) as ServerCounts;
}

/** The Node process of every warm environment: to kill one, or to hold it with SIGSTOP and SIGCONT. */
export async function functionProcesses(emulator: Emulator): Promise<readonly FunctionProcess[]> {
  return ((await ask(emulator, 'GET', '/_sluice/processes')) as { readonly processes: readonly FunctionProcess[] }).processes;
}

/** Empties every service, the bootstrap stack too. */
export async function resetServices(emulator: Emulator): Promise<void> {
  await ask(emulator, 'POST', '/_ministack/reset');
}

async function ask(emulator: Emulator, method: string, path: string): Promise<unknown> {
  if (!emulator.isOurs) {
    throw new SluiceError('SLUICE-LOCALSTACK-NOT-OURS', `the server at ${emulator.endpoint} does not tell ${path}`, {
      hint: 'Run without AWS_ENDPOINT_URL, so that a server of our own is started.',
    });
  }
  const answer = await fetch(`${emulator.endpoint}${path}`, { method, signal: AbortSignal.timeout(30_000) });
  if (!answer.ok) throw new Error(`${method} ${path} of the emulator answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}
