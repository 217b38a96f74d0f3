/**
 * One seed, one run: the shipped runtime and coordinator in a world of containers, queues and stores on virtual time.
 *
 * First a phase with faults, restores at other parallelism, savepoints and stops; then a phase in which everything works, and the job must come to its end.
 */
import { errorCode, errorMessage } from '../../base/errors.ts';
import type { CompiledJob } from '../../dsl/compile-job.ts';
import type { JobRecord } from '../../model/job-record.ts';
import type { OperatorRegistry } from '../../operators/operator.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import type { Logger } from '../../ports/system.ts';
import type { RuntimeSettings } from '../../runtime/runtime-deps.ts';
import { defaultRuntimeSettings } from '../../runtime/runtime-settings.ts';
import { SettingsDraw, times, type Circumstances, type SimulatedMode } from './circumstances.ts';
import { Containers } from './container.ts';
import { continuedFrom, type Continued } from './continuation.ts';
import { Decisions } from './decisions.ts';
import { drawRates, drawnFaults, listedFaults, type Fault } from './fault.ts';
import { Liveness } from './liveness.ts';
import { Oracles } from './oracles.ts';
import { People } from './people.ts';
import { Services } from './services.ts';
import { SimStores } from './sim-stores.ts';
import { Trace, type TraceLine } from './trace.ts';
import { VirtualTime } from './virtual-time.ts';

export interface SimulationOptions extends Circumstances {
  readonly seed: number;
  /** The job at some parallelism, so that restores can rescale: versions from 1 on. */
  readonly compile: (version: number) => CompiledJob;
  readonly versions: number;
  /** The user functions of a version, made anew. */
  readonly functionsOf: (planHash: string) => OperatorRegistry;
  readonly sources: Readonly<Record<string, SplitReader>>;
  /** One of them is drawn wherever checkpoint settings are. */
  readonly modes: readonly SimulatedMode[];
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
  /** Checkpoints have been in that mode, at least for a while. */
  readonly isAtLeastOnce: boolean;
  /** To a checkpoint, or on from a savepoint. */
  readonly hasGoneBack: boolean;
  /** Records that became visible, of the sink of that name. */
  readonly published: (name: string) => readonly unknown[];
  /** The same of a job that went on from one of the savepoints, and of what came before it; null where none did. */
  readonly continued: Continued | null;
}

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
  readonly #liveness: Liveness;
  readonly #draw: SettingsDraw;
  readonly #faultyMs: number;
  readonly #problems: string[] = [];
  /** Nobody asks for anything any more. */
  #isQuiet = false;
  #stoodStill = false;
  #hasGoneBack = false;
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
      lifeMs: times.life,
      latencyMs: times.latency,
      stallMs: times.stall,
      stallLeastMs: options.stallLeastMs ?? 0,
    });
    containers.active = !calm;
    const logger = loggerOf(options, time, trace);
    const faultyMs = calm ? 0 : 3_000 + decisions.below('faulty', 12_000);
    const isSilent = (): boolean => options.silent === true && time.nowMs > faultyMs / 2 && time.nowMs < faultyMs + silentMs;
    const sources = paced(options, decisions, isSilent);
    const world = new SimStores({ time, decisions, containers, sources, logger, losing: options.losing === true });
    const visibilityMs = decisions.chance('visibility/short', 0.6) ? 1_000 : times.life + 500;
    // Shards may read a mixture; the coordinator reads one record.
    const onError = (error: unknown): void => {
      if (errorCode(error) === 'SLUICE-INVARIANT') this.#problems.push(`the coordinator meets a broken rule: ${errorMessage(error)}`);
    };
    const jobRecordCacheMs = decisions.pick('runtime/record cache', [0, 100, 1_000]);
    const isLong = options.calm !== true && decisions.chance('runtime/long', longShare);
    const settings = { ...runtimeSettings, jobRecordCacheMs, ...(isLong ? longRun : {}), ...options.settings };
    const draw = new SettingsDraw(decisions, options.modes, options.checkpoint);
    this.#options = options;
    this.#decisions = decisions;
    this.#containers = containers;
    this.#world = world;
    this.#services = new Services({
      world,
      time,
      decisions,
      containers,
      logger,
      settings,
      visibilityMs,
      lifeMs: times.life,
      functionsOf,
      onError,
    });
    this.#people = new People({
      services: this.#services,
      world,
      time,
      decisions,
      trace,
      containers,
      compile,
      draw,
      versions: options.versions,
    });
    this.#oracles = new Oracles(world, draw);
    this.#liveness = new Liveness({
      visibilityMs,
      sweepMs: times.sweep,
      isRunning: (flow) => this.#services.isRunning(flow),
      checkpoints: () => draw.current,
    });
    this.#draw = draw;
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
      this.#hasGoneBack ||= record !== undefined && (record.attempt > 1 || this.#people.moves > 0);
      if (record === undefined) continue;
      const healedNowMs = this.#containers.active ? null : this.#time.clock.now();
      this.#problems.push(...(await this.#oracles.look(record, healedNowMs)));
      if (healedNowMs !== null && this.#options.losing !== true) this.#problems.push(...(await this.#liveness.look(record, healedNowMs)));
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
      isAtLeastOnce: this.#draw.isAtLeastOnce,
      hasGoneBack: this.#hasGoneBack,
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
  // Orders are seen between the records of an envelope too, as often as a cached job record allows.
  lookEveryMs: 0,
  recordsPerLook: 2,
};

/** A job that goes on for a minute: what is to be collected, or to follow, has the time. */
const longShare = 0.05;
const longRun = { sourceRecordsPerCommit: 1, sourceIdleMs: 700 };

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
