import { simulate } from '../../lib/testing/sim/simulate.ts';
import type { SimulatedCircumstances, SimulateOptions } from '../../lib/testing/sim/simulate-options.ts';
import type { SimulationReport } from '../../lib/testing/sim/simulation-report.ts';
import { smallTopologies } from './crash-coverage/small-topologies.ts';
import { hardTopologies } from './hard-topologies.ts';
import { pushedTopology } from './pushed-topology.ts';
import { topologies, type Topology } from './topologies.ts';

/** Each topology's own seeds, so that a seed and a name are one run for ever. In every mode, unless the circumstances say how checkpoints go. */
export function simulateTopology(
  { job, expected, covers, parallelism, modes, world }: Topology,
  options: SimulateOptions,
): Promise<SimulationReport> {
  const right = Object.entries(expected).map(([sink, some]) => [uidOf(sink), some.map((line) => JSON.parse(line) as unknown)] as const);
  return simulate(job(), {
    modes: modes ?? ['aligned', 'aligned', 'unaligned', 'unaligned', 'at-least-once'],
    ...(covers === undefined ? {} : { covers: covers as NonNullable<SimulateOptions['covers']> }),
    ...(parallelism === undefined ? {} : { parallelism }),
    ...options,
    ...(world === undefined ? {} : { world: around(world, options.world) }),
    expected: Object.fromEntries(right),
  });
}

/** What a topology needs stays, unless it is given otherwise. */
function around(needed: SimulatedCircumstances, given: SimulatedCircumstances = {}): SimulatedCircumstances {
  return {
    ...needed,
    ...given,
    settings: { ...needed.settings, ...given.settings },
    ...(needed.checkpoint === undefined ? {} : { checkpoint: { ...needed.checkpoint, ...given.checkpoint } }),
  };
}

function uidOf(sink: string): string {
  return sink.includes('.') ? sink : `${sink}-sink`;
}

export function topologyNamed(name: string): Topology {
  const all = [...topologies, ...hardTopologies, ...smallTopologies, pushedTopology];
  const found = all.find((topology) => topology.name === name);
  if (found === undefined) throw new Error(`there is no topology ${name}: ${all.map((topology) => topology.name).join(', ')}`);
  return found;
}
