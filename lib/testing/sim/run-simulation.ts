/**
 * One seed, one run: the shipped runtime and coordinator in a world of containers, queues and stores on virtual time.
 *
 * First a phase with faults, restores at other parallelism, savepoints and stops; then a phase in which everything works, and the job must come to its end.
 */
import { errorCode, errorMessage } from '../../base/errors.ts';
import { defaultCheckpointSettings, type CheckpointSettings } from '../../checkpoint/checkpoint-settings.ts';
import type { CompiledJob } from '../../dsl/compile-job.ts';
import type { JobRecord } from '../../model/job-record.ts';
import type { OperatorRegistry } from '../../operators/operator.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import type { Logger } from '../../ports/system.ts';
import type { RuntimeSettings } from '../../runtime/runtime-deps.ts';
import { defaultRuntimeSettings } from '../../runtime/runtime-settings.ts';
import { Containers } from './container.ts';
import { continuedFrom, type Continued } from './continuation.ts';
import { Decisions } from './decisions.ts';
import { drawRates, drawnFaults, listedFaults, type Fault, type FaultRates } from './fault.ts';
import { Oracles } from './oracles.ts';
import { People } from './people.ts';
import { Services } from './services.ts';
import { SimStores } from './sim-stores.ts';
import { Trace, type TraceLine } from './trace.ts';
import { VirtualTime } from './virtual-time.ts';

/** What a run can be made harder, or shorter, by. */
export interface Circumstances {
  readonly settings?: Partial<RuntimeSettings>;
  readonly checkpoint?: Partial<CheckpointSettings>;
  /** Instead of what the seed draws. */
  readonly rates?: Partial<FaultRates>;
  /** From half of the faulty phase on sources find nothing for a while. */
  readonly silent?: boolean;
  /** A queue loses a message: the job may stand still or fail, but what it shows at its end must be right. */
  readonly losing?: boolean;
  /** Who stands still does so for at least so long: nearly as long as an invocation may live. */
  readonly stallLeastMs?: number;
  /** How long everything may take once it works. */
  readonly healedMs?: number;
}

export interface SimulationOptions extends Circumstances {
  readonly seed: number;
  /** The job at a parallelism, so that restores can rescale. */
  readonly compile: (parallelism: number) => CompiledJob;
  /** The user functions of a version, made anew. */
  readonly functionsOf: (planHash: string) => OperatorRegistry;
  readonly sources: Readonly<Record<string, SplitReader>>;
  /** Names under which the sinks' records are kept. */
  readonly sinks: readonly string[];
  /** Just these faults, instead of those that the seed draws. */
  readonly faults?: readonly Fault[];
  /** Nobody asks for anything, and nothing fails: what the others are compared with. */
  readonly calm?: boolean;
  readonly log?: (line: string) => void;
}

export interface SimulationResult {
  readonly seed: number;
  readonly hash: string;
  readonly problems: readonly string[];
  /** Nothing else was wrong, but it did not come to its end. */
  readonly stoodStill: boolean;
  readonly faults: readonly Fault[];
  readonly lines: readonly TraceLine[];
  readonly calls: number;
  readonly virtualMs: number;
  readonly checkpoints: number;
  readonly restores: number;
  readonly savepoints: number;
  /** Records that became visible, of the sink of that name. */
  readonly published: (name: string) => readonly unknown[];
  /** The same of a job that went on from one of the savepoints, and of what came before it; null where none did. */
  readonly continued: Continued | null;
}

/** Longest life of an invocation, of a call mostly, and of who stands still: long enough that messages become visible meanwhile. */
const lifeMs = 3_000;
const latencyMs = 10;
const stallMs = 2_500;
/** How long everything may take once it works. */
const healedMs = 180_000;
const lookEveryMs = 250;
/** How long a silent source is silent once everything works. */
const silentMs = 30_000;

export function runSimulation(options: SimulationOptions): Promise<SimulationResult> {
  return new Simulated(options).run();
}

class Simulated {
  readonly #options: SimulationOptions;
  readonly #decisions: Decisions;
  readonly #time = new VirtualTime();
  readonly #trace = new Trace();
  readonly #containers: Containers;
  readonly #world: SimStores;
  readonly #services: Services;
  readonly #people: People;
  readonly #oracles: Oracles;
  readonly #faultyMs: number;
  readonly #problems: string[] = [];
  /** Nobody asks for anything any more. */
  #isQuiet = false;
  #stoodStill = false;
  /** The job as it was looked at last. */
  #seen: JobRecord | undefined;

  constructor(options: SimulationOptions) {
    const { seed, calm = false, functionsOf, compile } = options;
    const decisions = new Decisions(seed);
    const time = this.#time;
    const trace = this.#trace;
    const faults =
      options.faults === undefined ? drawnFaults(decisions, { ...drawRates(decisions), ...options.rates }) : listedFaults(options.faults);
    const containers = new Containers({
      time,
      decisions,
      faults,
      trace,
      lifeMs,
      latencyMs,
      stallMs,
      stallLeastMs: options.stallLeastMs ?? 0,
    });
    containers.active = !calm;
    const logger = loggerOf(options, time, trace);
    const faultyMs = calm ? 0 : 3_000 + decisions.below('faulty', 12_000);
    const isSilent = (): boolean => options.silent === true && time.nowMs > faultyMs / 2 && time.nowMs < faultyMs + silentMs;
    const sources = paced(options, decisions, isSilent);
    const world = new SimStores({ time, decisions, containers, sources, logger, lifeMs, losing: options.losing === true });
    const visibilityMs = decisions.chance('visibility/short', 0.6) ? 1_000 : lifeMs + 500;
    // Shards may read a mixture; the coordinator reads one record.
    const onError = (error: unknown): void => {
      if (errorCode(error) === 'SLUICE-INVARIANT') this.#problems.push(`the coordinator meets a broken rule: ${errorMessage(error)}`);
    };
    const settings = { ...runtimeSettings, ...options.settings };
    const checkpoint = { ...defaultCheckpointSettings, intervalMs: 300, timeoutMs: 5_000, ...options.checkpoint };
    this.#options = options;
    this.#decisions = decisions;
    this.#containers = containers;
    this.#world = world;
    this.#services = new Services({ world, time, decisions, containers, logger, settings, visibilityMs, lifeMs, functionsOf, onError });
    this.#people = new People({ services: this.#services, world, time, decisions, trace, containers, compile, checkpoint });
    this.#oracles = new Oracles(world);
    this.#faultyMs = faultyMs;
  }

  async run(): Promise<SimulationResult> {
    this.#time.after(this.#faultyMs, () => this.#heal());
    this.#live().then(
      () => (this.#isQuiet = true),
      (error: unknown) => this.#problems.push(`whoever runs the job gave up: ${String((error as Error).stack)}`),
    );
    void this.#watch();
    const deadlineMs = this.#faultyMs + (this.#options.healedMs ?? healedMs);
    await this.#time.run(() => this.#problems.length > 0 || this.#time.nowMs > deadlineMs || this.#isDone());
    await this.#checkDone();
    const visible = new Map(this.#options.sinks.map((name) => [name, this.#world.shown.published(name)]));
    return this.#result((name) => visible.get(name) ?? [], this.#problems.length > 0 ? null : await this.#goOn());
  }

  async #checkDone(): Promise<void> {
    if (this.#problems.length > 0 || this.#isDone()) return;
    this.#stoodStill = true;
    this.#problems.push(`not finished ${this.#options.healedMs ?? healedMs} ms after everything worked: ${await this.#people.describe()}`);
  }

  /** From one of the savepoints that were taken, as another job, in peace. */
  async #goOn(): Promise<Continued | null> {
    const { taken } = this.#people;
    if (taken.length === 0) return null;
    const savepoint = this.#decisions.pick('continue/from', taken);
    this.#isQuiet = false;
    const started = this.#people.goOnFrom(savepoint.location).then(
      () => (this.#isQuiet = true),
      (error: unknown) => this.#problems.push(`a savepoint could not be gone on from: ${String((error as Error).stack)}`),
    );
    const deadlineMs = this.#time.nowMs + healedMs;
    await this.#time.run(() => this.#problems.length > 0 || this.#time.nowMs > deadlineMs || this.#isDone());
    await this.#checkDone();
    if (this.#problems.length > 0) return null;
    await started;
    return continuedFrom(savepoint, this.#people.job, this.#world.savepoints, this.#world.collect);
  }

  async #live(): Promise<void> {
    await this.#services.start();
    await this.#people.begin();
    if (this.#options.calm !== true) await this.#people.disturb();
  }

  #heal(): void {
    this.#containers.active = false;
    this.#trace.tell(this.#time.nowMs, 'world', 'from now on everything works');
  }

  async #watch(): Promise<void> {
    for (;;) {
      await this.#time.sleep(lookEveryMs);
      const record = await this.#people.record();
      this.#seen = record;
      if (record === undefined) continue;
      this.#problems.push(...(await this.#oracles.look(record, this.#containers.active ? null : this.#time.clock.now())));
      // Where a message is lost that is the right answer.
      if (record.status === 'FAILED' && this.#options.losing !== true) this.#problems.push(`the job failed: ${record.failure}`);
    }
  }

  #isDone(): boolean {
    return this.#isQuiet && this.#seen?.job === this.#people.job && this.#seen.status === 'FINISHED';
  }

  #result(published: SimulationResult['published'], continued: Continued | null): SimulationResult {
    return {
      seed: this.#options.seed,
      hash: this.#trace.hash,
      problems: this.#problems,
      stoodStill: this.#stoodStill,
      faults: this.#containers.taken,
      lines: this.#trace.lines,
      calls: this.#trace.calls,
      virtualMs: this.#time.nowMs,
      checkpoints: this.#seen?.counts.completed ?? 0,
      restores: this.#people.restores,
      savepoints: this.#people.savepoints,
      published,
      continued,
    };
  }
}

const runtimeSettings: RuntimeSettings = {
  ...defaultRuntimeSettings,
  sourceRecordsPerCommit: 7,
  backlogMessagesPerShard: 12,
  backPressureSleepMs: 20,
  backlogCheckMs: 0,
  sourceIdleMs: 50,
  stateCacheKeys: 3,
  jobRecordCacheMs: 100,
  // Orders are seen between the records of an envelope too.
  lookEveryMs: 0,
  recordsPerLook: 2,
};

/** Now and then there is nothing yet, so that a job lasts longer than its records take. */
function paced({ sources, calm }: SimulationOptions, decisions: Decisions, isSilent: () => boolean): SimulationOptions['sources'] {
  if (calm === true) return sources;
  const pace = (name: string, reader: SplitReader): SplitReader => ({
    ...reader,
    splits: (source) => reader.splits(source),
    read: (source, split, position, options) =>
      decisions.chance(`pace/${name}/${split}`, 0.6) || isSilent()
        ? Promise.resolve({ values: [], position, ended: false })
        : reader.read(source, split, position, options),
  });
  return Object.fromEntries(Object.entries(sources).map(([name, reader]) => [name, pace(name, reader)]));
}

function loggerOf({ log }: SimulationOptions, time: VirtualTime, trace: Trace): Logger {
  return {
    log: (level, message, facts) => {
      if (level === 'debug') return;
      log?.(`${time.nowMs.toFixed(1)} ${level} ${message} ${JSON.stringify(facts)}`);
      if (level === 'error') trace.tell(time.nowMs, 'log', `${message} ${JSON.stringify(facts)}`);
    },
  };
}
