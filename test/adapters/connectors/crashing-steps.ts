/** File steps that end the process at one of them: before it, in the middle of it or after it. From then on nothing of that process happens any more. */
import { type FileSteps, fileSteps } from '../../../lib/adapters/connectors/file-steps.ts';

export type Moment = 'before' | 'during' | 'after';

export interface CrashingSteps {
  readonly steps: FileSteps;
  readonly taken: () => readonly string[];
  readonly hasCrashed: () => boolean;
}

export class Crash extends Error {}

/** `at`: which step, from 0. */
export function crashingSteps(at: number, moment: Moment): CrashingSteps {
  const taken: string[] = [];
  let hasCrashed = false;
  const crash = (): never => {
    hasCrashed = true;
    throw new Crash('the process ended');
  };
  const steps = new Proxy(fileSteps, {
    get(target, property: keyof FileSteps) {
      const step = target[property] as (...parameters: unknown[]) => Promise<unknown>;
      return async (...parameters: unknown[]) => {
        if (hasCrashed) crash();
        const isHere = taken.push(property) - 1 === at;
        if (isHere && moment === 'before') crash();
        if (isHere && moment === 'during') {
          await half(property, parameters);
          crash();
        }
        const result = await step(...parameters);
        if (isHere) crash();
        return result;
      };
    },
  });
  return { steps, taken: () => taken, hasCrashed: () => hasCrashed };
}

/** Only a write can be seen half done: the file system does the others whole or not at all. */
async function half(step: keyof FileSteps, parameters: readonly unknown[]): Promise<void> {
  if (step !== 'write') return;
  const [path, pieces] = parameters as [string, Iterable<Uint8Array>];
  const whole = Buffer.concat([...pieces]);
  await fileSteps.write(path, [whole.subarray(0, whole.length / 2)]);
}
