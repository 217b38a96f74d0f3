import { compileJob } from '../../lib/index.ts';
import { limits } from '../../lib/base/limits.ts';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { runSimulation } from '../../lib/testing/sim/run-simulation.ts';
import { topologies, type Topology } from './topologies.ts';
const compileOf = (t: Topology, seed: number) => (p: number) => { const c = compileJob(t.job(seed % 3 === 0 ? p : 1), { parallelism: p }); const edges = c.plan.edges.map((e) => ({ ...e, envelopeBytes: 60 })); return { ...c, plan: { ...c.plan, edges }, planHash: `p${p}` }; };
const real = { ...limits };
const small = { baseAdvanceEpochs: 1, baseAdvanceRows: 8, baseAdvanceRowsQuiet: 4, baseRowsReadPerStep: 12, baseRowsPerStep: 6, baseRowsPerSlice: 2, deltaRowsPerPart: 2, timersPerCommitMax: 3 };
const sources = createLocalConnectors().sources;
const first = Number(process.argv[2] ?? 1), n = Number(process.argv[3] ?? 1);
const log = process.env['LOG'] ? (l: string) => console.log(l) : undefined;
const t0 = performance.now(); let faults = 0, restores = 0, savepoints = 0, bad = 0, calls = 0;
for (let seed = first; seed < first + n; seed++) {
  Object.assign(limits, real, seed % 2 === 0 ? small : {});
  const t = topologies[seed % topologies.length]!;
  const r = await runSimulation({ seed, compile: compileOf(t, seed), sources, ...(log ? { log } : {}) });
  const problems = [...r.problems];
  for (const [name, want] of Object.entries(t.expected)) { const got = r.published(name).map((x) => JSON.stringify(x)).sort(); if (JSON.stringify(got) !== JSON.stringify(want)) problems.push(`${name}: ${got.length} results, expected ${want.length}`); }
  faults += r.faults.length; restores += r.restores; savepoints += r.savepoints; calls += r.calls;
  if (problems.length || n === 1) { bad++; console.log(seed, t.name, r.hash, { faults: r.faults.length, calls: r.calls, ms: Math.round(r.virtualMs), cp: r.checkpoints, restores: r.restores, sp: r.savepoints }, problems.map(p=>p.slice(0,3000))); if (n === 1) for (const l of r.lines) console.log(`${(l.atMs/1000).toFixed(3).padStart(9)}  ${l.who.padEnd(26)} ${l.what.slice(0,300)}`); }
}
console.log({ runs: n, bad, faults, restores, savepoints, calls, msPerRun: Math.round((performance.now() - t0) / n) });
process.exit(0);
