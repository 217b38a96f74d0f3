/**
 * One run of a job in the simulated world, in which nothing fails, up to a moment at which it has many checkpoints and savepoints and its input is not at its
 * end. From there a test goes on from any of them, at any parallelism. The same options give the same run, so that each restore of a checkpoint, which changes
 * the job, has a run of its own; savepoints are gone on from by other jobs, all in one run.
 */
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import type { CheckpointId, JobId } from '../../lib/base/ids.ts';
import { defaultCheckpointSettings, type CheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import { inFlightChannels } from '../../lib/checkpoint/in-flight.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import type { CoordinatorDeps } from '../../lib/coordinator/coordinator-deps.ts';
import { restoreCheckpoint, restoreSavepoint } from '../../lib/coordinator/restore-requests.ts';
import { takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import { startJob } from '../../lib/coordinator/start-job.ts';
import { compileJob, type CompiledJob } from '../../lib/dsl/compile-job.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import type { SplitReader } from '../../lib/ports/connectors.ts';
import type { OperationRecord } from '../../lib/ports/records.ts';
import { defaultRuntimeSettings } from '../../lib/runtime/runtime-settings.ts';
import { times } from '../../lib/testing/sim/circumstances.ts';
import { Containers } from '../../lib/testing/sim/container.ts';
import { continuedFrom } from '../../lib/testing/sim/continuation.ts';
import { Decisions } from '../../lib/testing/sim/decisions.ts';
import { linesOf } from '../../lib/testing/sim/differences.ts';
import { listedFaults } from '../../lib/testing/sim/fault.ts';
import { heldState } from '../../lib/testing/sim/held-state.ts';
import type { TakenSavepoint } from '../../lib/testing/sim/people.ts';
import { Services, type Deployment } from '../../lib/testing/sim/services.ts';
import { loadSources, sinkName, sinksOf } from '../../lib/testing/sim/sim-connectors.ts';
import { SimStores } from '../../lib/testing/sim/sim-stores.ts';
import { Trace } from '../../lib/testing/sim/trace.ts';
import { VirtualTime } from '../../lib/testing/sim/virtual-time.ts';
import { topologyNamed } from './run-topology.ts';

export interface RestorableOptions {
  readonly topology: string;
  readonly mode: 'aligned' | 'unaligned';
  readonly parallelism: number;
  readonly seed: number;
}

/** What is compared: what each sink shows, and the keyed state of the last checkpoint. */
export interface Ending {
  readonly visible: Readonly<Record<string, readonly string[]>>;
  readonly state: string;
}

const maxParallelism = 16;
const hashPrefix = 'parallelism-';
const savepointEveryMs = 200;
const enoughMs = 60_000;
const strict = { allowNonRestoredState: false, allowOtherJob: false };

export class RestorableRun {
  readonly #options: RestorableOptions;
  readonly #time = new VirtualTime();
  readonly #decisions: Decisions;
  readonly #containers: Containers;
  readonly #world: SimStores;
  readonly #services: Services;
  readonly #job: JobId;
  readonly savepoints: TakenSavepoint[] = [];
  #deployed: Deployment | undefined;
  #asked = 0;
  #jobs = 0;
  /** The last records of every split wait for this. */
  #isOpen = false;
  readonly #waiting = new Set<string>();
  readonly #splits = new Set<string>();

  static async begin(options: RestorableOptions): Promise<RestorableRun> {
    const { plan } = compiledAt(options, 1);
    return new RestorableRun(options, await loadSources(plan, createLocalConnectors().sources, 100));
  }

  private constructor(options: RestorableOptions, loaded: Readonly<Record<string, SplitReader>>) {
    this.#options = options;
    const time = this.#time;
    const decisions = (this.#decisions = new Decisions(options.seed));
    const logger = { log: () => undefined };
    const lifeMs = times.life;
    const containers = new Containers({
      time,
      decisions,
      faults: listedFaults([]),
      trace: new Trace(),
      lifeMs,
      latencyMs: times.latency,
      stallMs: times.stall,
    });
    const sources = Object.fromEntries(Object.entries(loaded).map(([name, reader]) => [name, this.#gated(reader)]));
    const world = new SimStores({ time, decisions, containers, sources, logger, sweepMs: times.sweep, losing: false, timeLeft: undefined });
    const functionsOf = (planHash: string): CompiledJob['registry'] =>
      compiledAt(options, Number(planHash.slice(hashPrefix.length))).registry;
    const onError = (error: unknown): void => {
      throw error;
    };
    const visibilityMs = lifeMs + 500;
    this.#containers = containers;
    this.#world = world;
    this.#services = new Services({ world, time, decisions, containers, logger, settings, visibilityMs, lifeMs, functionsOf, onError });
    this.#job = this.#newJob();
  }

  /** Until its sources have read all but the last records, with checkpoints as often as can be and savepoints in between. */
  async toTheMoment(): Promise<JobRecord> {
    const compiled = this.#compiled(this.#options.parallelism);
    await this.#until(async () => {
      await this.#services.start();
      this.#deployed = this.#services.deploy(this.#job, compiled);
      const { plan, planHash } = compiled;
      await this.#services.ask((deps) => startJob(deps, { job: this.#job, name: plan.name, plan, planHash, settings: this.#settings }));
      for (;;) {
        await this.#time.sleep(savepointEveryMs);
        if (this.#waiting.size === this.#splits.size) return;
        const operation = await this.#operation((deps) =>
          takeSavepoint(deps, { job: this.#job, trigger: this.#trigger(), directory: 'savepoints' }),
        );
        this.savepoints.push({ location: operation.location!, jobs: [this.#job], forgotten: new Set() });
      }
    });
    return this.record();
  }

  async record(job = this.#job): Promise<JobRecord> {
    return (await this.#world.stores.jobs.read(job))!;
  }

  /** Records in flight at a checkpoint: by channel, in envelopes. */
  async inFlightAt(checkpoint: CheckpointId): Promise<number> {
    const { retained } = await this.record();
    const manifest = await this.#manifest(retained.find(({ id }) => id === checkpoint)!.manifest);
    return inFlightChannels(manifest).reduce((sum, { after, upTo }) => sum + upTo - after, 0);
  }

  /** Lets the rest of the input through, and nothing else happens. */
  async finish(): Promise<Ending> {
    return this.#ending(this.#job, (sink) => this.#world.shown.published(sink));
  }

  async finishFromCheckpoint(checkpoint: CheckpointId, parallelism: number): Promise<Ending> {
    const { plan, planHash } = this.#compiled(parallelism);
    const job = this.#job;
    const before = this.#deployed!;
    this.#deployed = this.#services.deploy(job, this.#compiled(parallelism));
    await this.#until(async () => {
      const newPlan = { plan, planHash, settings: this.#settings };
      const order = { job, trigger: this.#trigger(), checkpoint, publishedSeen: null, newPlan, ...strict };
      const { progress } = await this.#operation((deps) => restoreCheckpoint(deps, order));
      this.#world.shown.forget(checkpoint, Number(progress['attempt']));
    });
    before.stop();
    return this.finish();
  }

  /** As another job; this one is left alone. */
  async finishFromSavepoint(savepoint: TakenSavepoint, parallelism: number): Promise<Ending> {
    const compiled = this.#compiled(parallelism);
    const { plan, planHash } = compiled;
    const job = this.#newJob();
    this.#deployed!.stop();
    await this.#until(async () => {
      const newPlan = { plan, planHash, settings: this.#settings };
      const order = { job, trigger: this.#trigger(), location: savepoint.location, newPlan, ...strict };
      await this.#operation((deps) => restoreSavepoint(deps, order));
    });
    this.#deployed = this.#services.deploy(job, compiled);
    const { savepoints, collect } = this.#world;
    return this.#ending(job, await continuedFrom(savepoint, job, savepoints, collect));
  }

  async #ending(job: JobId, published: (sink: string) => readonly unknown[]): Promise<Ending> {
    this.#isOpen = true;
    this.#containers.active = false;
    await this.#until(async () => {
      while ((await this.record(job)).status !== 'FINISHED') await this.#time.sleep(50);
    });
    const sinks = sinksOf(compiledAt(this.#options, 1).plan);
    const { retained } = await this.record(job);
    return {
      visible: Object.fromEntries(sinks.map(({ uid, connector }) => [uid, linesOf(published(sinkName(connector)), connector)])),
      state: withSortedLists(await heldState(this.#world.stores, await this.#manifest(retained.at(-1)!.manifest))),
    };
  }

  async #manifest(key: string): Promise<Manifest> {
    return decodeManifest((await this.#world.stores.objects.read(key))!, key);
  }

  /** Time goes on until it is done. */
  async #until(work: () => Promise<void>): Promise<void> {
    let outcome: 'done' | { readonly error: unknown } | undefined;
    work().then(
      () => (outcome = 'done'),
      (error: unknown) => (outcome = { error }),
    );
    const deadlineMs = this.#time.nowMs + enoughMs;
    await this.#time.run(() => outcome !== undefined || this.#time.nowMs > deadlineMs);
    if (outcome === 'done') return;
    throw outcome === undefined ? new Error(`not done after ${enoughMs} ms: ${JSON.stringify(await this.record())}`) : outcome.error;
  }

  async #operation(ask: (deps: CoordinatorDeps) => Promise<OperationRecord>): Promise<OperationRecord> {
    const { job, trigger } = await this.#services.ask(ask);
    for (;;) {
      const record = (await this.#world.stores.operations.read(job, trigger))!;
      if (record.status === 'COMPLETED' && record.failure === null) return record;
      if (record.failure !== null) throw new Error(record.failure.message);
      await this.#time.sleep(20);
    }
  }

  #gated(reader: SplitReader): SplitReader {
    return {
      ...reader,
      splits: async (spec) => {
        const splits = await reader.splits(spec);
        for (const split of splits) this.#splits.add(`${JSON.stringify(spec)} ${split}`);
        return splits;
      },
      read: async (spec, split, position, options) => {
        if (!this.#isOpen && this.#decisions.chance(`pace/${split}`, 0.5)) return { values: [], position, ended: false };
        const result = await reader.read(spec, split, position, options);
        if (!result.ended || this.#isOpen) return result;
        this.#waiting.add(`${JSON.stringify(spec)} ${split}`);
        return { values: [], position, ended: false };
      },
    };
  }

  get #settings(): CheckpointSettings {
    const unaligned = this.#options.mode === 'unaligned';
    return { ...defaultCheckpointSettings, intervalMs: 80, retained: 16, retentionOnCancellation: 'retain', unaligned };
  }

  #compiled(parallelism: number): CompiledJob {
    return compiledAt(this.#options, parallelism);
  }

  #newJob(): JobId {
    return (++this.#jobs).toString(16).padStart(32, '0').split('').toReversed().join('') as JobId;
  }

  #trigger(): string {
    return `trigger-${++this.#asked}`;
  }
}

/** Between splits there is no order, and so none in what a list has gathered of them. */
function withSortedLists(state: string): string {
  return state.replaceAll(/\[[\d,]+\]$/gm, (list) => JSON.stringify((JSON.parse(list) as number[]).sort((a, b) => a - b)));
}

const settings = {
  ...defaultRuntimeSettings,
  sourceRecordsPerCommit: 3,
  backlogMessagesPerShard: 12,
  backPressureSleepMs: 20,
  backlogCheckMs: 0,
  sourceIdleMs: 20,
  stateCacheKeys: 3,
  jobRecordCacheMs: 0,
};

const compiledJobs = new Map<string, CompiledJob>();

/** Small envelopes, so that there is something to be in flight. */
function compiledAt({ topology }: RestorableOptions, parallelism: number): CompiledJob {
  const name = `${topology} ${parallelism}`;
  const known = compiledJobs.get(name);
  if (known !== undefined) return known;
  const { plan, ...rest } = compileJob(topologyNamed(topology).job(), { parallelism, maxParallelism });
  const edges = plan.edges.map((edge) => ({ ...edge, envelopeBytes: 60 }));
  const compiled = { ...rest, plan: { ...plan, edges }, planHash: `${hashPrefix}${parallelism}` };
  compiledJobs.set(name, compiled);
  return compiled;
}
