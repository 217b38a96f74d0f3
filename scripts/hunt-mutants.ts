/** All mutants over threads, each told as soon as it is killed or given up. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { mutantRules, type MutantName } from '../lib/base/mutated.ts';
import { medianFaults, type HuntedMutant, type HuntOptions } from '../test/sim/hunt-mutant.ts';

export interface MutantReport {
  readonly mutants: number;
  readonly killed: number;
  /** Left after making each kill smaller, the middle one. */
  readonly faultsMedian: number;
  readonly seconds: number;
  readonly list: readonly HuntedMutant[];
}

export interface HuntAllOptions extends HuntOptions {
  readonly names?: readonly MutantName[];
  /** Threads: as many as there are cores to spare. Default 2. */
  readonly workers?: number;
  readonly onMutant?: (mutant: HuntedMutant) => void;
}

export const mutantNames = Object.keys(mutantRules) as readonly MutantName[];

export async function huntMutants(options: HuntAllOptions = {}): Promise<MutantReport> {
  const { names = mutantNames, workers = 2, onMutant, ...each } = options;
  const begunAt = performance.now();
  const left = [...names];
  const found = new Map<MutantName, HuntedMutant>();
  await Promise.all(Array.from({ length: Math.min(workers, names.length) }, () => workOff(left, each, found, onMutant)));
  const list = names.map((name) => found.get(name)!);
  const seconds = Math.round((performance.now() - begunAt) / 100) / 10;
  return { mutants: list.length, killed: list.filter(({ killed }) => killed).length, faultsMedian: medianFaults(list), seconds, list };
}

async function workOff(
  left: MutantName[],
  workerData: HuntOptions,
  found: Map<MutantName, HuntedMutant>,
  onMutant: HuntAllOptions['onMutant'],
): Promise<void> {
  const worker = new Worker(new URL('./mutant-worker.ts', import.meta.url), { workerData });
  try {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      worker.postMessage(name);
      const [result] = (await once(worker, 'message')) as [HuntedMutant];
      found.set(name, result);
      onMutant?.(result);
    }
  } finally {
    await worker.terminate();
  }
}
