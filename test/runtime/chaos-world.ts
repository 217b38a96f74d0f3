/**
 * A small world for the runtime: real shards over the memory adapters, a plain coordinator, and faults at every port call. Time is virtual; one seed is
 * one run. First a phase with faults, aborts, half-injected barriers and restores at other parallelism, then a phase in which everything works and the
 * job must finish. (The whole engine is simulated by lib/testing; this one needs the runtime only.)
 */
import { createCollectSink, type CollectSink } from '../../lib/adapters/connectors/collect-sink.ts';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { createMemoryStores, type LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import type { CompiledJob } from '../../lib/dsl/compile-job.ts';
import type { CheckpointMode } from '../../lib/model/envelope.ts';
import { operatorQueue } from '../../lib/model/queue-names.ts';
import type { MessageSender, ReceivedMessage } from '../../lib/ports/message-queue.ts';
import { OperatorFunction } from '../../lib/runtime/operator-function.ts';
import type { JobProgram, RuntimeDeps, RuntimeSettings } from '../../lib/runtime/runtime-deps.ts';
import { withoutMemory } from '../../lib/testing/sim/forgetful-queue.ts';
import { deepFreeze } from '../contract/fixture.ts';
import { jobA } from '../contract/sample-records.ts';
import { ManualTime, settle } from '../contract/manual-time.ts';
import { collectGarbage } from './chaos-collector.ts';
import { ChaosCoordinator } from './chaos-coordinator.ts';
import { Faults, type Environment } from './chaos-faults.ts';
import { Choices } from './chaos-random.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** The job at a parallelism, so that restores can rescale. */
  readonly compile: (parallelism: number) => CompiledJob;
  readonly settings?: Partial<RuntimeSettings>;
  /** `mixed`: another one for any checkpoint. */
  readonly mode?: CheckpointMode | 'mixed';
  /** Who holds a message often stands still before reading, and who commits often dies before sending: nothing is harder on the resend rule. */
  readonly manyZombies?: boolean;
  /** Barriers overtake what is in flight: at once, or after a while of each seed. */
  readonly unaligned?: boolean;
  readonly stepsMax?: number;
  /** How many steps with faults there are, at least and at most. */
  readonly faultySteps?: readonly [least: number, most: number];
}

export interface ChaosResult {
  readonly published: (name: string) => readonly unknown[];
  readonly faults: number;
  readonly restores: number;
  /** From checkpoints that were taken at least once. */
  readonly laxRestores: number;
  readonly checkpoints: number;
  /** Checkpoints with something in flight. */
  readonly overtaken: number;
  readonly steps: number;
  readonly collected: number;
  readonly problems: readonly string[];
}

const visibilityMs = 1_000;

export class ChaosWorld {
  readonly #options: ChaosOptions;
  readonly #choices: Choices;
  readonly #time = new ManualTime();
  readonly #stores: LocalStores;
  /** What the functions send to. */
  readonly #sender: MessageSender;
  readonly #collect: CollectSink = createCollectSink();
  readonly #faults: Faults;
  readonly #coordinator: ChaosCoordinator;
  readonly #settings: RuntimeSettings;
  #compiled: CompiledJob;
  #environments: Environment[] = [];
  /** Objects by the invocation that has made them. */
  readonly #makers = new Map<string, Environment>();
  #collected = 0;
  #lastWarning = '';
  /** The last checkpoint that was started while there were faults. */
  #healedAt = 0;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#choices = new Choices(options.seed);
    this.#faults = new Faults(this.#choices, options.manyZombies);
    this.#settings = settingsOf(options);
    this.#compiled = options.compile(1 + this.#choices.below(3));
    const random = { hex: (digits: number) => this.#choices.hex(digits), fraction: () => this.#choices.fraction() };
    const queue = { staleReceipts: this.#choices.chance(0.5) ? 'expired-refused' : 'latest-deletes' } as const;
    this.#stores = createMemoryStores({ clock: this.#time.clock, timers: this.#time.timers, random, protect: deepFreeze, queue });
    this.#sender = this.#choices.chance(0.3) ? withoutMemory(this.#stores.queue) : this.#stores.queue;
    const { mode = 'exactly-once' } = options;
    // Only where it is asked for, so that the other modes' seeds stay the runs that they were.
    const timeoutsMs = options.unaligned === true ? [0, 0, 40, 400] : [];
    const alignedTimeoutMs = timeoutsMs.length === 0 ? null : this.#choices.pick(timeoutsMs);
    const nowMs = (): number => this.#time.clock.now();
    const parts = { stores: this.#stores, collect: this.#collect, choices: this.#choices, mode, alignedTimeoutMs, nowMs };
    this.#coordinator = new ChaosCoordinator(parts, this.#compiled);
  }

  async run(): Promise<ChaosResult> {
    await this.#coordinator.begin();
    await this.#coordinator.kickAll();
    const { stepsMax = 60_000, faultySteps: [least, most] = [200, 1_400] } = this.#options;
    const faultySteps = least + this.#choices.below(most - least);
    const problems = this.#coordinator.failures;
    let steps = 0;
    for (; steps < stepsMax && problems.length === 0; steps++) {
      if (steps === faultySteps) await this.#heal();
      await this.#step();
      if (steps > faultySteps && steps % 20 === 0 && (await this.#coordinator.isFinished())) break;
    }
    if (steps >= stepsMax) problems.push(`not finished after ${steps} steps: ${await this.#coordinator.describe()}\n${this.#lastWarning}`);
    return {
      published: (name) => this.#collect.published(name),
      faults: this.#faults.count,
      restores: this.#coordinator.restores,
      laxRestores: this.#coordinator.laxRestores,
      checkpoints: this.#coordinator.completed,
      overtaken: this.#coordinator.overtaken,
      steps,
      collected: this.#collected,
      problems,
    };
  }

  async #heal(): Promise<void> {
    this.#faults.heal();
    this.#healedAt = (await this.#coordinator.job()).numbered;
  }

  async #step(): Promise<void> {
    const faulty = this.#faults.active;
    const roll = this.#choices.fraction();
    if (roll < 0.62) await this.#deliver();
    else if (roll < 0.72) await this.#coordinator.receive(visibilityMs);
    else if (roll < 0.8) this.#faults.resumeOne();
    else if (roll < 0.925) await this.#time.advance(1 + this.#choices.below(this.#choices.chance(0.2) ? 1_500 : 60));
    else if (roll < 0.93) await this.#collectGarbage();
    else if (roll < 0.985) await this.#trigger();
    else if (roll < 0.99 && faulty) await this.#coordinator.abort();
    else if (roll < 0.993 && faulty) await this.#restore();
    await settle();
  }

  async #trigger(): Promise<void> {
    const job = await this.#coordinator.job();
    const isPending = job.numbered > Math.max(job.completed, job.aborted);
    // Once healed, what is pending from before is given up, as its timeout would have it; each that starts now must end by itself.
    if (!this.#faults.active && isPending) {
      if (job.numbered > this.#healedAt) return;
      await this.#coordinator.abort();
    }
    await this.#coordinator.trigger(this.#faults.active && this.#choices.chance(0.2));
  }

  async #restore(): Promise<void> {
    this.#compiled = this.#options.compile(1 + this.#choices.below(3));
    await this.#coordinator.restore(this.#compiled);
    for (const environment of this.#environments) if (!environment.busy) environment.dead = true;
    this.#environments = [];
    if (this.#choices.chance(0.2)) await this.#time.advance(10);
    await this.#coordinator.kickAll();
  }

  async #collectGarbage(): Promise<void> {
    for (const [key, maker] of this.#makers) if (maker.dead || !maker.busy) this.#makers.delete(key);
    this.#collected += await collectGarbage(
      this.#stores,
      () => this.#coordinator.job(),
      this.#compiled.plan,
      this.#coordinator.pending(),
      (key) => this.#makers.has(key),
    );
  }

  async #deliver(): Promise<void> {
    const vertex = this.#choices.pick(this.#compiled.plan.vertices);
    const queue = operatorQueue(jobA, vertex.uid);
    const messages = await this.#stores.queue.receive(queue, { messagesMax: 1 + this.#choices.below(10), waitMs: 0, visibilityMs });
    if (messages.length === 0) return;
    const isFree = (some: Environment): boolean => some.queue === queue && !some.busy && !some.dead && this.#choices.chance(0.8);
    let environment = this.#environments.find(isFree);
    if (environment === undefined) this.#environments.push((environment = this.#newEnvironment(queue, vertex.uid)));
    void this.#invoke(environment, messages);
  }

  async #invoke(environment: Environment, messages: readonly ReceivedMessage[]): Promise<void> {
    environment.busy = true;
    const failed = await environment.function.handle(messages);
    if (environment.dead) return;
    environment.busy = false;
    const receipts = (isFailed: boolean): string[] =>
      messages.filter(({ messageId }) => failed.includes(messageId) === isFailed).map(({ receipt }) => receipt);
    const [done, again] = [receipts(false), receipts(true)];
    // Now and then the service does not get to it: what is done comes again.
    const isForgotten = this.#faults.active && this.#choices.chance(0.02);
    if (done.length > 0 && !isForgotten) await this.#stores.queue.deleteBatch(environment.queue, done);
    if (again.length > 0) await this.#stores.queue.changeVisibility(environment.queue, again, 0);
  }

  #newEnvironment(queue: string, uid: JobProgram['plan']['vertices'][number]['uid']): Environment {
    const { plan, registry, planHash } = this.#compiled;
    const stores = this.#stores;
    const environment = { queue, busy: false, dead: false } as Environment & { function: OperatorFunction };
    const seen = (site: string, [key]: readonly unknown[]): void => {
      if (site === 'objects.createIfAbsent') this.#makers.set(key as string, environment);
    };
    const wrap = <T extends object>(name: string, target: T): T => this.#faults.wrap(environment, name, target, seen);
    const log = (level: string, message: string, facts?: unknown): void => {
      if (level !== 'debug') this.#lastWarning = `${message} ${JSON.stringify(facts)}`;
      if (process.env['CHAOS_LOG'] !== undefined && level !== 'debug') console.log(level, message, JSON.stringify(facts));
    };
    // What is set aside is published like everything else, under no name.
    const sink = wrap('sink', this.#collect);
    const deps: RuntimeDeps = {
      jobs: wrap('jobs', stores.jobs),
      shards: wrap('shards', stores.shards),
      objects: wrap('objects', stores.objects),
      base: wrap('base', stores.base),
      messages: wrap('queue', this.#sender),
      delay: wrap('delay', stores.delay),
      connectors: { sources: createLocalConnectors().sources, sinks: { collect: sink, 'dead-letters': sink } },
      clock: this.#time.clock,
      random: { hex: (digits) => this.#choices.hex(digits), fraction: () => this.#choices.fraction() },
      logger: { log },
      metrics: { count: () => undefined, gauge: () => undefined },
    };
    environment.function = new OperatorFunction(
      { deps, program: { job: jobA, plan, planHash, planKey: this.#coordinator.planKey(), registry, settings: this.#settings } },
      uid,
    );
    return environment;
  }
}

function settingsOf({ settings }: ChaosOptions): RuntimeSettings {
  return {
    compressEnvelopes: true,
    functionTimeoutMs: 30_000,
    sourceRecordsPerCommit: 7,
    backlogMessagesPerShard: 12,
    backPressureSleepMs: 20,
    backlogCheckMs: 0,
    sourceIdleMs: 20,
    stateCacheKeys: 3,
    stateCacheEntries: 3,
    jobRecordCacheMs: 100,
    lookEveryMs: 0,
    recordsPerLook: 2,
    triesBeforeCare: 5,
    // Processes end here by chance, and no record is the cause.
    triesAlone: Number.MAX_SAFE_INTEGER,
    ...settings,
  };
}
