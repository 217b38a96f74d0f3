/** Runs a job to its end in this process on given stores, and measures what the process spent on it. */
import { createLocalConnectors } from '../lib/adapters/connectors/local-connectors.ts';
import { createMemoryStores, type LocalStores } from '../lib/adapters/memory/memory-stores.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { systemRandom } from '../lib/adapters/system/random.ts';
import { systemTimers } from '../lib/adapters/system/timers.ts';
import { defaultCheckpointSettings } from '../lib/checkpoint/checkpoint-settings.ts';
import { startJob } from '../lib/coordinator/start-job.ts';
import type { CompiledJob } from '../lib/dsl/compile-job.ts';
import { LocalEngine, newJobId } from '../lib/local/local-engine.ts';
import type { RuntimeSettings } from '../lib/runtime/runtime-deps.ts';
import { inProcessSettings } from '../lib/local/in-process-settings.ts';
import { defaultRuntimeSettings } from '../lib/runtime/runtime-settings.ts';

export interface EngineRun {
  readonly cpuUs: number;
  readonly wallMs: number;
  readonly checkpoints: number;
  readonly requests: Readonly<Record<string, number>>;
  /** A sending call has up to ten. */
  readonly messages: number;
  readonly total: unknown;
}

export interface EngineRunOptions {
  readonly compiled: CompiledJob;
  readonly text: { chunk(index: number): string | undefined };
  readonly openStores?: () => Promise<LocalStores>;
  /** The vertex whose accumulator is the result. */
  readonly settings?: Partial<RuntimeSettings>;
  readonly resultOf: { readonly vertex: string; readonly operator: string };
}

const system = { clock: systemClock, timers: systemTimers, random: systemRandom };
const silent = { log: () => undefined };
const noMetrics = { count: () => undefined, gauge: () => undefined };

export async function runEngine({ compiled, text, openStores, settings, resultOf }: EngineRunOptions): Promise<EngineRun> {
  const requests: Record<string, number> = {};
  let messages = 0;
  const opened = await (openStores?.() ?? Promise.resolve(createMemoryStores(system)));
  const stores = countRequests(opened, requests, (count) => (messages += count));
  const connectors = createLocalConnectors({ texts: new Map([['flights', text]]) });
  const savepoints = { at: () => unused(), inside: () => unused() };
  const engine = new LocalEngine({ ...system, stores, connectors, savepoints, logger: silent, metrics: noMetrics });
  await engine.resumeFlows();
  const job = newJobId(systemRandom);
  const { plan, planHash, registry } = compiled;
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await startJob(engine.coordinator, { job, name: plan.name, plan, planHash, settings: defaultCheckpointSettings });
  // Of the requests that are counted, those for the job record are as on AWS.
  const inProcess = { ...inProcessSettings, jobRecordCacheMs: defaultRuntimeSettings.jobRecordCacheMs };
  engine.run({ job, plan, planHash, registry, settings: { ...inProcess, ...settings } });
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const record = await stores.jobs.read(job);
    if (record?.status === 'FINISHED') break;
    if (record?.status === 'FAILED') throw new Error(`the job failed: ${record.failure}`);
  }
  const cpu = process.cpuUsage(cpuBefore);
  const wallMs = performance.now() - startedAt;
  const record = await stores.jobs.read(job);
  const shard = await stores.shards.read({ job, uid: resultOf.vertex as never, shard: 0 });
  const total = shard?.operatorStates[resultOf.operator as never]?.['accumulator']?.items[0];
  await engine.close();
  return { cpuUs: cpu.user + cpu.system, wallMs, checkpoints: record!.counts.completed, requests, messages, total };
}

/** Counts calls at the ports, by store and operation: what would be requests on AWS. */
function countRequests(stores: LocalStores, counts: Record<string, number>, onMessages: (count: number) => void): LocalStores {
  const counted = <T extends object>(name: string, target: T): T =>
    new Proxy(target, {
      get(object, property) {
        const value: unknown = Reflect.get(object, property);
        if (typeof value !== 'function') return value;
        return (...parameters: unknown[]) => {
          const id = `${name}.${String(property)}`;
          counts[id] = (counts[id] ?? 0) + 1;
          if (id === 'queue.sendBatch') onMessages((parameters[1] as readonly unknown[]).length);
          return Reflect.apply(value, object, parameters) as unknown;
        };
      },
    });
  const { queue, jobs, shards, objects, base, acknowledgements, flows } = stores;
  return {
    ...stores,
    queue: counted('queue', queue),
    jobs: counted('jobs', jobs),
    shards: counted('shards', shards),
    objects: counted('objects', objects),
    base: counted('base', base),
    acknowledgements: counted('acknowledgements', acknowledgements),
    flows: counted('flows', flows),
  };
}

function unused(): never {
  throw new Error('the bench takes no savepoints');
}
