/**
 * A small world for the runtime: real shards over the memory adapters, a plain coordinator, and faults at every port call: crashes before and after,
 * lost answers, errors, pauses that make zombies. Time is virtual. (The whole engine is simulated by lib/testing; this one needs the runtime only.)
 */
import { createCollectSink, type CollectSink } from '../../lib/adapters/connectors/collect-sink.ts';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { createMemoryStores, type LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { encodeDescriptor, encodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import type { CompiledJob } from '../../lib/dsl/compile-job.ts';
import { decodeCoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import { encodeControl } from '../../lib/model/envelope-codec.ts';
import { isSourceVertex } from '../../lib/model/job-plan.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import { coordinatorQueue, descriptorKey, manifestKey, operatorQueue, shardGroup } from '../../lib/model/names.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import type { ReceivedMessage } from '../../lib/ports/message-queue.ts';
import { OperatorFunction } from '../../lib/runtime/operator-function.ts';
import type { JobProgram, RuntimeDeps, RuntimeSettings } from '../../lib/runtime/runtime-deps.ts';
import { deepFreeze, jobA, jobRecord } from '../contract/fixture.ts';
import { ManualTime, settle } from '../contract/manual-time.ts';
import { describeJob } from './chaos-describe.ts';
import { Choices } from './chaos-random.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** The job at a parallelism, so that restores can rescale. */
  readonly compile: (parallelism: number) => CompiledJob;
  readonly settings?: Partial<RuntimeSettings>;
  readonly stepsMax?: number;
}

export interface ChaosResult {
  readonly published: (name: string) => readonly unknown[];
  readonly faults: number;
  readonly restores: number;
  readonly checkpoints: number;
  readonly steps: number;
  readonly problems: readonly string[];
}

const never = new Promise<never>(() => undefined);
const visibilityMs = 1_000;

interface Environment {
  readonly queue: string;
  readonly function: OperatorFunction;
  busy: boolean;
  dead: boolean;
}

type Ports = Pick<RuntimeDeps, 'jobs' | 'shards' | 'objects' | 'base' | 'messages' | 'delay' | 'connectors'>;

export class ChaosWorld {
  readonly #options: ChaosOptions;
  readonly #choices: Choices;
  readonly #time = new ManualTime();
  readonly #stores: LocalStores;
  readonly #collect: CollectSink = createCollectSink();
  readonly #problems: string[] = [];
  readonly #rates: { crash: number; lost: number; error: number; pause: number };
  #compiled: CompiledJob;
  #environments: Environment[] = [];
  #paused: (() => void)[] = [];
  #acknowledged = new Map<number, Map<string, ShardSnapshot>>();
  #faulty = true;
  #faults = 0;
  #restores = 0;
  #completed = 0;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#choices = new Choices(options.seed);
    const on = (rate: number): number => (this.#choices.chance(0.5) ? rate : 0);
    this.#rates = { crash: on(0.01), lost: on(0.01), error: on(0.01), pause: on(0.03) };
    this.#compiled = options.compile(1 + this.#choices.below(3));
    const random = { hex: (digits: number) => this.#choices.hex(digits), fraction: () => this.#choices.fraction() };
    this.#stores = createMemoryStores({ clock: this.#time.clock, timers: this.#time.timers, random, protect: deepFreeze });
  }

  async run(): Promise<ChaosResult> {
    const { stores } = this.#ports();
    await stores.jobs.create(jobRecord({ job: jobA, planHash: this.#compiled.planHash, version: 1, firstEpoch: 1 }));
    await this.#kickAll();
    const stepsMax = this.#options.stepsMax ?? 60_000;
    const faultySteps = 200 + this.#choices.below(1_200);
    let steps = 0;
    for (; steps < stepsMax && this.#problems.length === 0; steps++) {
      if (steps === faultySteps) this.#heal();
      await this.#step();
      if (steps > faultySteps && steps % 20 === 0 && (await this.#isFinished())) break;
    }
    if (steps >= stepsMax)
      this.#problems.push(`not finished after ${steps} steps: ${await describeJob(this.#stores, this.#compiled.plan)}`);
    return {
      published: (name) => this.#collect.published(name),
      faults: this.#faults,
      restores: this.#restores,
      checkpoints: this.#completed,
      steps,
      problems: this.#problems,
    };
  }

  #ports(): { stores: LocalStores } {
    return { stores: this.#stores };
  }

  #heal(): void {
    this.#faulty = false;
    for (const resume of this.#paused) resume();
    this.#paused = [];
  }

  async #step(): Promise<void> {
    const roll = this.#choices.fraction();
    if (roll < 0.62) await this.#deliver();
    else if (roll < 0.72) await this.#coordinate();
    else if (roll < 0.8) this.#resumeOne();
    else if (roll < 0.93) await this.#time.advance(1 + this.#choices.below(this.#choices.chance(0.2) ? 1_500 : 60));
    else if (roll < 0.985) await this.#trigger();
    else if (roll < 0.99 && this.#faulty) await this.#abort();
    else if (roll < 0.993 && this.#faulty) await this.#restore();
    await settle();
  }

  #resumeOne(): void {
    if (this.#paused.length === 0) return;
    this.#paused.splice(this.#choices.below(this.#paused.length), 1)[0]!();
  }

  async #deliver(): Promise<void> {
    const vertex = this.#choices.pick(this.#compiled.plan.vertices);
    const queue = operatorQueue(jobA, vertex.uid);
    const messages = await this.#stores.queue.receive(queue, { messagesMax: 1 + this.#choices.below(10), waitMs: 0, visibilityMs });
    if (messages.length === 0) return;
    let environment = this.#environments.find(
      (candidate) => candidate.queue === queue && !candidate.busy && !candidate.dead && this.#choices.chance(0.8),
    );
    if (environment === undefined) {
      environment = this.#newEnvironment(queue, vertex.uid);
      this.#environments.push(environment);
    }
    void this.#invoke(environment, messages);
  }

  async #invoke(environment: Environment, messages: readonly ReceivedMessage[]): Promise<void> {
    environment.busy = true;
    const failed = await environment.function.handle(messages);
    if (environment.dead) return;
    environment.busy = false;
    const done = messages.filter(({ messageId }) => !failed.includes(messageId)).map(({ receipt }) => receipt);
    const again = messages.filter(({ messageId }) => failed.includes(messageId)).map(({ receipt }) => receipt);
    if (done.length > 0) await this.#stores.queue.deleteBatch(environment.queue, done);
    if (again.length > 0) await this.#stores.queue.changeVisibility(environment.queue, again, 0);
  }

  #newEnvironment(queue: string, uid: JobProgram['plan']['vertices'][number]['uid']): Environment {
    const { plan, registry, planHash } = this.#compiled;
    const environment = { queue, busy: false, dead: false } as Environment & { function: OperatorFunction };
    const stores = this.#stores;
    const ports: Ports = {
      jobs: this.#chaotic(environment, 'jobs', stores.jobs),
      shards: this.#chaotic(environment, 'shards', stores.shards),
      objects: this.#chaotic(environment, 'objects', stores.objects),
      base: this.#chaotic(environment, 'base', stores.base),
      messages: this.#chaotic(environment, 'queue', stores.queue),
      delay: this.#chaotic(environment, 'delay', stores.delay),
      connectors: { sources: createLocalConnectors().sources, sinks: { collect: this.#chaotic(environment, 'sink', this.#collect) } },
    };
    const log = (level: string, message: string, facts?: unknown): void => {
      if (process.env['CHAOS_LOG'] !== undefined && level !== 'debug') console.log(level, message, JSON.stringify(facts));
    };
    const deps: RuntimeDeps = {
      ...ports,
      clock: this.#time.clock,
      random: { hex: (digits) => this.#choices.hex(digits), fraction: () => this.#choices.fraction() },
      logger: { log },
      metrics: { count: () => undefined, gauge: () => undefined },
    };
    const settings: RuntimeSettings = {
      exactlyOnce: true,
      compressEnvelopes: this.#choices.chance(0.5),
      sourceRecordsPerCommit: 7,
      backlogMessagesPerShard: 12,
      backPressureSleepMs: 20,
      backlogCheckMs: 0,
      sourceIdleMs: 20,
      userCodeTries: Number.MAX_SAFE_INTEGER,
      stateCacheKeys: 3,
      jobRecordCacheMs: 100,
      ...this.#options.settings,
    };
    environment.function = new OperatorFunction({ deps, program: { job: jobA, plan, planHash, registry, settings } }, uid);
    return environment;
  }

  #chaotic<T extends object>(environment: Environment, name: string, target: T): T {
    return new Proxy(target, {
      get: (object, property) => {
        const value: unknown = Reflect.get(object, property);
        if (typeof value !== 'function' || property === 'locate')
          return typeof value === 'function' ? (value.bind(object) as unknown) : value;
        return (...parameters: unknown[]) =>
          this.#call(environment, `${name}.${String(property)}`, () => Reflect.apply(value, object, parameters) as Promise<unknown>);
      },
    });
  }

  async #call(environment: Environment, site: string, act: () => Promise<unknown>): Promise<unknown> {
    if (environment.dead) return never;
    const fault = this.#drawFault();
    if (fault === 'none') return this.#unlessDead(environment, act);
    this.#faults++;
    if (process.env['CHAOS_LOG'] !== undefined) console.log('fault', fault, site);
    switch (fault) {
      case 'crash-before':
        environment.dead = true;
        return never;
      case 'crash-after':
        await act();
        environment.dead = true;
        return never;
      case 'lost':
        await act();
        throw new Error(`answer of ${site} lost`);
      case 'twice':
        await act();
        return act();
      case 'error':
        throw new Error(`${site} refused`);
      case 'pause-before':
        await this.#pause();
        return this.#unlessDead(environment, act);
      case 'pause-after': {
        const result = await act();
        await this.#pause();
        return environment.dead ? never : result;
      }
    }
  }

  async #unlessDead(environment: Environment, act: () => Promise<unknown>): Promise<unknown> {
    const result = await act();
    return environment.dead ? never : result;
  }

  #drawFault(): 'none' | 'crash-before' | 'crash-after' | 'lost' | 'twice' | 'error' | 'pause-before' | 'pause-after' {
    if (!this.#faulty) return 'none';
    const { crash, lost, error, pause } = this.#rates;
    const roll = this.#choices.fraction();
    if (roll < crash) return this.#choices.chance(0.5) ? 'crash-before' : 'crash-after';
    if (roll < crash + lost) return this.#choices.chance(0.5) ? 'lost' : 'twice';
    if (roll < crash + lost + error) return 'error';
    if (roll < crash + lost + error + pause) return this.#choices.chance(0.5) ? 'pause-before' : 'pause-after';
    return 'none';
  }

  #pause(): Promise<void> {
    return this.#faulty ? new Promise((resolve) => this.#paused.push(resolve)) : Promise.resolve();
  }

  // The coordinator: correct and simple, one step at a time.

  async #job(): Promise<JobRecord> {
    return (await this.#stores.jobs.read(jobA))!;
  }

  async #change(changes: Partial<JobRecord>): Promise<void> {
    const job = await this.#job();
    await this.#stores.jobs.replace({ ...job, ...changes, version: job.version + 1 }, job.version);
  }

  async #trigger(): Promise<void> {
    const job = await this.#job();
    // Once healed, one checkpoint at a time: what is left to show is that it ends.
    if (!this.#faulty && job.numbered > Math.max(job.completed, job.aborted) && this.#choices.chance(0.98)) return;
    const checkpoint = job.numbered + 1;
    await this.#change({ numbered: checkpoint });
    const half = this.#faulty && this.#choices.chance(0.2);
    for (const vertex of this.#compiled.plan.vertices.filter(({ uid }) => isSourceVertex(this.#compiled.plan, uid))) {
      for (let shard = 0; shard < vertex.parallelism; shard++) {
        if (half && this.#choices.chance(0.5)) continue;
        await this.#send(vertex.uid, shard, job.attempt, `o${checkpoint}`, {
          kind: 'order',
          job: jobA,
          attempt: job.attempt,
          number: checkpoint,
          order: { checkpoint },
        });
      }
    }
  }

  async #send(uid: string, shard: number, attempt: number, dedup: string, control: Parameters<typeof encodeControl>[0]): Promise<void> {
    const message = { group: shardGroup(shard, attempt), deduplicationId: `${attempt}-${shard}-${dedup}`, body: encodeControl(control) };
    await this.#stores.queue.sendBatch(operatorQueue(jobA, uid as never), [message]);
  }

  async #kickAll(): Promise<void> {
    const { attempt } = await this.#job();
    for (const vertex of this.#compiled.plan.vertices) {
      for (let shard = 0; shard < vertex.parallelism; shard++) {
        await this.#send(vertex.uid, shard, attempt, 'kick', { kind: 'kick', job: jobA, attempt, number: 1 });
      }
    }
  }

  async #coordinate(): Promise<void> {
    const queue = coordinatorQueue(jobA);
    const messages = await this.#stores.queue.receive(queue, { messagesMax: 10, waitMs: 0, visibilityMs });
    for (const { body } of messages) {
      const message = decodeCoordinatorMessage(body);
      if (message.kind === 'failed') this.#problems.push(`job failed: ${JSON.stringify(message.failure)}`);
      if (message.kind === 'acknowledgement') await this.#acknowledge(message.snapshot);
    }
    if (messages.length > 0)
      await this.#stores.queue.deleteBatch(
        queue,
        messages.map(({ receipt }) => receipt),
      );
  }

  async #acknowledge(snapshot: ShardSnapshot): Promise<void> {
    const job = await this.#job();
    if (snapshot.attempt !== job.attempt || snapshot.checkpoint <= job.completed || snapshot.checkpoint <= job.aborted) return;
    let present = this.#acknowledged.get(snapshot.checkpoint);
    if (present === undefined) this.#acknowledged.set(snapshot.checkpoint, (present = new Map<string, ShardSnapshot>()));
    present.set(`${snapshot.uid}/${snapshot.shard}`, snapshot);
    const { plan, planHash } = this.#compiled;
    const expected = plan.vertices.reduce((sum, { parallelism }) => sum + parallelism, 0);
    if (present.size < expected) return;
    const { checkpoint, attempt } = snapshot;
    const key = manifestKey(jobA, attempt, checkpoint);
    const shards = [...present.values()];
    const manifest = {
      format: 1,
      job: jobA,
      jobName: 'chaos',
      attempt,
      checkpoint,
      kind: 'checkpoint',
      mode: 'exactly-once',
      plan,
      planHash,
      shards,
      triggeredAtMs: 0,
      completedAtMs: 0,
    } as const;
    await this.#stores.objects.createIfAbsent(key, encodeManifest(manifest));
    for (const { parts } of shards) {
      for (const part of parts) await this.#collect.publish(this.#connectorOf(part.operator), part);
    }
    this.#completed++;
    const retained = [{ id: checkpoint, kind: 'checkpoint', manifest: key }] as const;
    await this.#change({ completed: checkpoint, published: checkpoint, floor: checkpoint, retained });
  }

  #connectorOf(uid: string): NonNullable<JobProgram['plan']['vertices'][number]['operators'][number]['connector']> {
    return this.#compiled.plan.vertices.flatMap(({ operators }) => operators).find((operator) => operator.uid === uid)!.connector!;
  }

  async #abort(): Promise<void> {
    const job = await this.#job();
    if (job.numbered > job.completed && job.numbered > job.aborted) await this.#change({ aborted: job.numbered });
  }

  async #restore(): Promise<void> {
    const job = await this.#job();
    this.#restores++;
    const attempt = job.attempt + 1;
    this.#compiled = this.#options.compile(1 + this.#choices.below(3));
    const newest = job.retained[0];
    const descriptor = newest === undefined ? null : descriptorKey(jobA, attempt, 'x');
    if (newest !== undefined) {
      const body = { format: 1, job: jobA, attempt, checkpoint: newest.id, manifest: newest.manifest, dropped: [] } as const;
      await this.#stores.objects.createIfAbsent(descriptor!, encodeDescriptor(body));
    }
    await this.#change({ attempt, descriptor, planHash: this.#compiled.planHash, aborted: job.numbered, firstEpoch: job.numbered + 1 });
    for (const environment of this.#environments) if (!environment.busy) environment.dead = true;
    this.#environments = [];
    this.#acknowledged.clear();
    if (!this.#choices.chance(0.2)) await this.#kickAll();
    else await this.#time.advance(10).then(() => this.#kickAll());
  }

  async #isFinished(): Promise<boolean> {
    const job = await this.#job();
    const { plan } = this.#compiled;
    for (const { uid, parallelism } of plan.vertices) {
      for (let shard = 0; shard < parallelism; shard++) {
        const record = await this.#stores.shards.read({ job: jobA, uid, shard });
        if (record === undefined || record.attempt !== job.attempt || record.status === 'running') return false;
        if (record.status !== 'finished' || record.settled > job.completed) return false;
      }
    }
    return true;
  }
}
