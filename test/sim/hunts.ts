/** Where each mutant is looked for: topologies in turn, and the run that is known to show it. */
import type { MutantName } from '../../lib/base/mutated.ts';
import type { SimulateOptions } from '../../lib/testing/sim/simulate.ts';

export interface Hunt {
  readonly topologies: readonly string[];
  readonly known?: readonly [topology: string, seed: number];
  readonly options?: SimulateOptions;
}

const anywhere: readonly string[] = ['keyed', 'union', 'window', 'two-inputs'];

const hunts: Partial<Record<MutantName, Partial<Hunt>>> = {};

export function huntFor(name: MutantName): Hunt {
  return { topologies: anywhere, ...hunts[name] };
}
