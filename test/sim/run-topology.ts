import { simulate, type SimulateOptions, type SimulationReport } from '../../lib/testing/sim/simulate.ts';
import { smallTopologies } from './crash-coverage/small-topologies.ts';
import { hardTopologies } from './hard-topologies.ts';
import { topologies, type Topology } from './topologies.ts';

/** Each topology's own seeds, so that a seed and a name are one run for ever. */
export function simulateTopology({ job, expected }: Topology, options: SimulateOptions): Promise<SimulationReport> {
  const lines = Object.entries(expected).map(([sink, some]) => [`${sink}-sink`, some.map((line) => JSON.parse(line) as unknown)] as const);
  return simulate(job(1), { ...options, expected: Object.fromEntries(lines) });
}

export function topologyNamed(name: string): Topology {
  const all = [...topologies, ...hardTopologies, ...smallTopologies];
  const found = all.find((topology) => topology.name === name);
  if (found === undefined) throw new Error(`there is no topology ${name}: ${all.map((topology) => topology.name).join(', ')}`);
  return found;
}
