import { boundedOutOfOrderness, collectSink, compileJob, defineJob, fromCollection, type Job, tumblingEventTime, valueState } from '../../lib/index.ts';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { runSimulation } from '../../lib/testing/sim/run-simulation.ts';
interface Reading { readonly key: string; readonly at: number; readonly value: number }
const readings: Reading[] = Array.from({ length: 240 }, (_, i) => ({ key: `k${(i * 7) % 9}`, at: 1_000 + i * 10 + ((i * 13) % 5) * 4, value: i }));
const others: Reading[] = Array.from({ length: 160 }, (_, i) => ({ key: `k${(i * 5) % 11}`, at: 1_000 + i * 15, value: 1_000 + i }));
const job = (n: number): Job => defineJob({ name: 'chaos', parameters: {}, build(env) {
  const options = { watermarks: boundedOutOfOrderness(50, (r: Reading) => r.at) };
  const all = env.fromSource(fromCollection(readings, { splits: 3 }), options).uid('readings').setParallelism(n)
    .union(env.fromSource(fromCollection(others), options).uid('others'));
  all.keyBy((r) => r.key).window(tumblingEventTime(300)).aggregate({ createAccumulator: () => ({ count: 0, sum: 0 }), add: ({ value }, a) => ({ count: a.count + 1, sum: a.sum + value }), getResult: (a) => a }, (result, { key, window }) => ({ key, start: window.start, ...result })).uid('windows').sinkTo(collectSink('windows')).uid('windows-sink');
  all.keyBy((r) => r.key).process({ state: { total: valueState<{ count: number; sum: number }>() }, process({ value, at }, { key, state, timers, emit }) {
    const before = state.total.value() ?? { count: 0, sum: 0 }; const total = { count: before.count + 1, sum: before.sum + value }; state.total.update(total); timers.registerEventTime(at + 500); emit({ key, at, value, count: total.count }); }, onTimer() {} }).uid('totals').rebalance().map((t) => t).sinkTo(collectSink('totals')).uid('totals-sink');
} });
const compile = (p: number) => { const c = compileJob(job(p), { parallelism: p }); const edges = c.plan.edges.map((e) => ({ ...e, envelopeBytes: 60 })); return { ...c, plan: { ...c.plan, edges }, planHash: `p${p}` }; };
const sources = createLocalConnectors().sources;
const first = Number(process.argv[2] ?? 1), n = Number(process.argv[3] ?? 1);
const log = process.env['LOG'] ? (l: string) => console.log(l) : undefined;
const calm = await runSimulation({ seed: 1, compile, sources, calm: true });
const sortOf = (r: any, name: string) => r.published(name).map((x: any) => JSON.stringify(name === 'totals' ? { key: x.key, value: x.value } : x)).sort();
const t0 = performance.now(); let faults = 0, restores = 0, savepoints = 0, bad = 0;
for (let seed = first; seed < first + n; seed++) {
  const r = await runSimulation({ seed, compile, sources, ...(log ? { log } : {}) });
  const problems = [...r.problems];
  for (const name of ['windows', 'totals']) { const [a, b] = [sortOf(r, name), sortOf(calm, name)]; if (JSON.stringify(a) !== JSON.stringify(b)) problems.push(`${name}: ${a.length} results, expected ${b.length}`); }
  faults += r.faults.length; restores += r.restores; savepoints += r.savepoints;
  if (problems.length || n === 1) { bad++; console.log(seed, r.hash, { faults: r.faults.length, calls: r.calls, ms: Math.round(r.virtualMs), cp: r.checkpoints, restores: r.restores, sp: r.savepoints }, problems.map(p=>p.slice(0,600))); if (n === 1) for (const l of r.lines) console.log(`${(l.atMs/1000).toFixed(3).padStart(9)}  ${l.who.padEnd(26)} ${l.what.slice(0,300)}`); }
}
console.log({ runs: n, bad, faults, restores, savepoints, msPerRun: Math.round((performance.now() - t0) / n), calmCalls: calm.calls, calmMs: calm.virtualMs });
process.exit(0);
