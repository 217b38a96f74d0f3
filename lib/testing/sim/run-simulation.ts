/**
 * One seed, one run: the shipped runtime and coordinator in a world of containers, queues and stores on virtual time.
 *
 * First a phase with faults, restores at other parallelism, savepoints and stops; then a phase in which everything works, and the job must come to its end.
 */
import type { JobRecord } from '../../model/job-record.ts';
import { continuedFrom, type Continued } from './continuation.ts';
import { damageOne } from './damage.ts';
import type { Fault } from './fault.ts';
import { feedAll } from './intake-feed.ts';
import { newWorld, type SimulatedWorld, type SimulationOptions } from './new-world.ts';
import type { TraceLine } from './trace.ts';

export interface SimulationResult {
  readonly seed: number;
  readonly hash: string;
  readonly problems: readonly string[];
  /** What the job or the engine said last of something that went wrong by itself. */
  readonly trouble: string | null;
  /** Nothing else was wrong, but it did not come to its end. */
  readonly stoodStill: boolean;
  readonly faults: readonly Fault[];
  /** Those of them that came to be, as what they became. */
  readonly happened: readonly Fault[];
  readonly lines: readonly TraceLine[];
  readonly calls: number;
  readonly virtualMs: number;
  readonly checkpoints: number;
  readonly restores: number;
  readonly savepoints: number;
  /** Checkpoints have been in that mode, at least for a while. */
  readonly isAtLeastOnce: boolean;
  /** It said that it cannot go on, and stopped there. */
  readonly hasFailed: boolean;
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

export function runSimulation(options: SimulationOptions): Promise<SimulationResult> {
  return new Simulated(options).run();
}

class Simulated {
  readonly #options: SimulationOptions;
  readonly #world: SimulatedWorld;
  readonly #problems: string[] = [];
  /** Nobody asks for anything any more. */
  #isQuiet = false;
  #stoodStill = false;
  #hasGoneBack = false;
  #hasFailed = false;
  /** The job as it was looked at last. */
  #seen: JobRecord | undefined;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#world = newWorld(options, (what) => this.#problems.push(what));
  }

  async run(): Promise<SimulationResult> {
    this.#world.time.after(this.#world.faultyMs, () => this.#heal());
    this.#live().then(
      () => (this.#isQuiet = true),
      (error: unknown) => this.#problems.push(`whoever runs the job gave up: ${String((error as Error).stack)}`),
    );
    void this.#watch();
    const deadlineMs = this.#world.faultyMs + (this.#options.healedMs ?? healedMs);
    await this.#world.time.run(() => this.#problems.length > 0 || this.#world.time.nowMs > deadlineMs || this.#isDone());
    await this.#checkDone();
    this.#hasFailed = this.#seen?.status === 'FAILED';
    const visible = new Map(this.#options.sinks.map((name) => [name, this.#world.stores.shown.published(name)]));
    return this.#result((name) => visible.get(name) ?? [], this.#problems.length > 0 ? null : await this.#goOn());
  }

  async #checkDone(): Promise<void> {
    if (this.#problems.length > 0 || this.#isDone()) return;
    this.#stoodStill = true;
    this.#problems.push(
      `not finished ${this.#options.healedMs ?? healedMs} ms after everything worked: ${await this.#world.people.describe()}`,
    );
  }

  /** From one of the savepoints that were taken, as another job, in peace. */
  async #goOn(): Promise<Continued | null> {
    const { taken } = this.#world.people;
    if (taken.length === 0) return null;
    const savepoint = this.#world.decisions.pick('continue/from', taken);
    this.#isQuiet = false;
    this.#world.containers.active = false;
    const started = this.#world.people.goOnFrom(savepoint.location).then(
      () => (this.#isQuiet = true),
      (error: unknown) => this.#problems.push(`a savepoint could not be gone on from: ${String((error as Error).stack)}`),
    );
    const deadlineMs = this.#world.time.nowMs + healedMs;
    await this.#world.time.run(() => this.#problems.length > 0 || this.#world.time.nowMs > deadlineMs || this.#isDone());
    await this.#checkDone();
    if (this.#problems.length > 0) return null;
    await started;
    return continuedFrom(savepoint, this.#world.people.job, this.#world.stores.savepoints, this.#world.stores.collect);
  }

  async #live(): Promise<void> {
    await this.#world.services.start();
    await this.#world.people.begin();
    this.#feed();
    if (this.#options.damaging === true) void damageOne(this.#world, () => this.#world.people.job);
    if (this.#options.calm === true) return;
    await (this.#options.script?.(this.#world.people) ?? this.#world.people.disturb());
  }

  #feed(): void {
    const { feeds, compile } = this.#options;
    if (feeds === undefined) return;
    feedAll(this.#world, compile(1).plan, feeds).catch((error: unknown) =>
      this.#problems.push(`whoever sends to the job gave up: ${String((error as Error).stack)}`),
    );
  }

  #heal(): void {
    this.#world.containers.active = false;
    this.#world.trace.tell(this.#world.time.nowMs, 'world', 'from now on everything works');
  }

  async #watch(): Promise<void> {
    for (;;) {
      await this.#world.time.sleep(lookEveryMs);
      const record = await this.#world.people.record();
      this.#seen = record;
      this.#hasGoneBack ||= record !== undefined && (record.attempt > 1 || this.#world.people.moves > 0);
      if (record === undefined) continue;
      if (this.#options.damaging !== true) await this.#lookAt(record);
      const { losing, damaging, mayFail: isAllowed } = this.#options;
      // Where a message or an object is lost that is the right answer.
      const mayFail = losing === true || damaging === true || isAllowed === true;
      if (record.status === 'FAILED' && !mayFail) this.#problems.push(`the job failed: ${await this.#world.people.whyFailed(record)}`);
    }
  }

  async #lookAt(record: JobRecord): Promise<void> {
    const { containers, time, oracles, liveness, stores } = this.#world;
    const healedNowMs = containers.active ? null : time.clock.now();
    this.#problems.push(...stores.shown.disorder, ...(await oracles.look(record, healedNowMs)));
    if (healedNowMs !== null && this.#options.losing !== true) this.#problems.push(...(await liveness.look(record, healedNowMs)));
  }

  #isDone(): boolean {
    const { job, attempt } = this.#world.people;
    if (!this.#isQuiet || this.#seen?.job !== job || this.#seen.attempt < attempt) return false;
    return this.#seen.status === 'FINISHED' || (this.#options.damaging === true && this.#seen.status === 'FAILED');
  }

  #result(published: SimulationResult['published'], continued: Continued | null): SimulationResult {
    return {
      seed: this.#options.seed,
      hash: this.#world.trace.hash,
      problems: this.#problems,
      trouble: this.#world.trouble(),
      stoodStill: this.#stoodStill,
      faults: this.#world.containers.taken,
      happened: this.#world.containers.happened,
      lines: this.#world.trace.lines,
      calls: this.#world.trace.calls,
      virtualMs: this.#world.time.nowMs,
      checkpoints: this.#seen?.counts.completed ?? 0,
      restores: this.#world.people.restores,
      savepoints: this.#world.people.savepoints,
      isAtLeastOnce: this.#world.draw.isAtLeastOnce,
      hasFailed: this.#hasFailed,
      hasGoneBack: this.#hasGoneBack,
      published,
      continued,
    };
  }
}
