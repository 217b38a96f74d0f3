/** User functions that end the process that they run in: by its memory, or because they do not come back. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Container } from './container.ts';

const processes = new AsyncLocalStorage<Container>();

export function inProcess<T>(container: Container, work: () => Promise<T>): Promise<T> {
  return processes.run(container, work);
}

/** Called by a user function. Whatever its caller does with the error, nothing comes of it: the dead call in vain (container.ts, CO1). */
export function endProcess(): never {
  processes.getStore()?.kill();
  throw new Error('the process has ended');
}
