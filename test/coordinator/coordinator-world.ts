/**
 * The coordinator's steps over real (memory) adapters, with shards that only know how to answer orders. A process can be killed at any port call:
 * what it stored stays, what it was doing never returns, and a new process goes on from the stores.
 */
import { createCollectSink, type CollectSink } from '../../lib/adapters/connectors/collect-sink.ts';
import { createMemoryStores, type LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import type { OperatorUid } from '../../lib/base/ids.ts';
import { coordinatorTasks } from '../../lib/coordinator/coordinator-tasks.ts';
import type { CoordinatorDeps } from '../../lib/coordinator/coordinator-deps.ts';
import { flowDescriptions } from '../../lib/coordinator/flow-descriptions.ts';
import { receiveMessage } from '../../lib/coordinator/receive-message.ts';
import { startJob } from '../../lib/coordinator/start-job.ts';
import { createPresentProblems } from '../../lib/local/present-problems.ts';
import { FlowInterpreter } from '../../lib/local/flow-interpreter.ts';
import { decodeCoordinatorMessage, encodeCoordinatorMessage, type CoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import type { ControlMessage } from '../../lib/model/envelope.ts';
import { readMessage } from '../../lib/model/envelope-codec.ts';
import { isSourceVertex, type JobPlan } from '../../lib/model/job-plan.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import { coordinatorQueue, operatorQueue } from '../../lib/model/queue-names.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import type { SinkCommitter } from '../../lib/ports/connectors.ts';
import { MemorySavepointFolders } from '../../lib/adapters/memory/savepoint-folders.ts';
import type { CheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { job, manifestOf, settings } from '../checkpoint/fixture.ts';
import { SwitchedSources } from '../../lib/testing/sim/switched-sources.ts';
import { planOf, sink } from '../checkpoint/plans.ts';
import { deepFreeze } from '../contract/fixture.ts';
import { ManualTime, settle } from '../contract/manual-time.ts';

export interface WorldOptions {
  readonly plan?: JobPlan;
  readonly settings?: Partial<CheckpointSettings>;
}

/** Where a process dies: at its n-th port call, before or after the call has its effect. */
export interface Crash {
  readonly atCall: number;
  readonly when: 'before' | 'after';
}

/** A new one each time: whoever waits for a promise is kept by it. */
const never = (): Promise<never> => new Promise(() => undefined);

/** Everything that lives in one process. */
class Process {
  readonly deps: CoordinatorDeps;
  readonly interpreter: FlowInterpreter;
  calls = 0;
  dead = false;
  /** Resolves when the process dies at its call. */
  readonly death: Promise<void>;
  #die: () => void = () => undefined;
  readonly #crash: Crash | null;

  constructor(world: CoordinatorWorld, crash: Crash | null) {
    this.#crash = crash;
    this.death = new Promise((resolve) => (this.#die = resolve));
    const { stores, time } = world;
    const port = <T extends object>(target: T): T => this.#mortal(target);
    const logger = { log: (level: string, message: string, facts?: unknown) => world.log.push({ level, message, facts }) };
    this.interpreter = new FlowInterpreter({
      store: port(stores.flows),
      clock: time.clock,
      timers: time.timers,
      logger,
      flows: flowDescriptions,
    });
    const committer = port<SinkCommitter>({
      ...world.collect,
      publish: (spec, part, by) => world.published(part.target, world.collect.publish(spec, part, by)),
    });
    this.deps = {
      jobs: port(stores.jobs),
      shards: port(stores.shards),
      acknowledgements: port(stores.acknowledgements),
      operations: port(stores.operations),
      objects: port(stores.objects),
      base: port(stores.base),
      messages: port(stores.queue),
      history: stores.history,
      problems: createPresentProblems(time.clock),
      connectors: { sources: {}, sinks: { collect: committer } },
      savepoints: world.savepoints.mortal(port),
      signal: this.interpreter,
      flows: this.interpreter,
      eventSources: port(world.eventSources),
      clock: time.clock,
      random: { hex: (digits) => (world.randoms++).toString(16).padStart(digits, '0'), fraction: () => 0.5 },
      logger,
      sweepMs: 3_600_000,
      collectMs: 600_000,
      garbageAgeMs: 60_000,
      stepMs: 1_000,
    };
  }

  /** A method call may be the last thing that this process does; after that nothing it calls answers. */
  #mortal<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const member = Reflect.get(target, name, target) as unknown;
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          if (name === 'locate') return member.apply(target, args) as unknown;
          return this.#call(() => member.apply(target, args) as unknown);
        };
      },
    });
  }

  async #call(effect: () => unknown): Promise<unknown> {
    if (this.dead) return never();
    const isLast = this.#crash !== null && this.calls++ === this.#crash.atCall;
    if (!isLast) return effect();
    this.dead = true;
    if (this.#crash.when === 'after') await effect();
    this.#die();
    return never();
  }
}

export class CoordinatorWorld {
  readonly time = new ManualTime();
  readonly stores: LocalStores;
  readonly collect: CollectSink = createCollectSink();
  readonly savepoints = new MemorySavepointFolders();
  readonly eventSources = new SwitchedSources();
  /** Of the shards that answer. */
  plan: JobPlan;
  readonly settings: CheckpointSettings;
  readonly log: { readonly level: string; readonly message: string; readonly facts: unknown }[] = [];
  /** Times that a part became visible, by its name. */
  readonly publications = new Map<string, number>();
  randoms = 1;
  process: Process;
  /** Shards that no longer answer, by uid. */
  readonly mute = new Set<OperatorUid>();
  finished = false;
  /** What the shards' snapshots have beyond positions. */
  decorate: (uid: OperatorUid, shard: number, checkpoint: number) => Partial<ShardSnapshot> = () => ({});

  constructor(options: WorldOptions = {}) {
    const { clock, timers } = this.time;
    const random = { hex: (digits: number) => (this.randoms++).toString(16).padStart(digits, '0'), fraction: () => 0.5 };
    this.stores = createMemoryStores({ clock, timers, random, protect: deepFreeze });
    this.plan = options.plan ?? planOf();
    this.settings = { ...settings, ...options.settings };
    this.process = new Process(this, null);
  }

  get deps(): CoordinatorDeps {
    return this.process.deps;
  }

  async published(target: string, result: Promise<'published' | 'already'>): Promise<'published' | 'already'> {
    const outcome = await result;
    if (outcome === 'published') this.publications.set(target, (this.publications.get(target) ?? 0) + 1);
    return outcome;
  }

  /** A new process on the old stores; the one before it is gone. */
  async boot(crash: Crash | null = null): Promise<void> {
    this.process.dead = true;
    this.process = new Process(this, crash);
    await Promise.race([this.process.interpreter.resume(coordinatorTasks(this.process.deps)), this.process.death]);
    await settle();
  }

  async start(): Promise<void> {
    await this.boot();
    await startJob(this.deps, { job, name: this.plan.name, plan: this.plan, planHash: 'hash', settings: this.settings });
    await this.settle();
  }

  async record(): Promise<JobRecord> {
    return (await this.stores.jobs.read(job))!;
  }

  /** Sends to the coordinator's queue, as shards do. */
  async tell(message: CoordinatorMessage): Promise<void> {
    const body = encodeCoordinatorMessage(message);
    await this.stores.queue.sendBatch(coordinatorQueue(job), [{ group: 'all', deduplicationId: `${this.randoms++}`, body }]);
  }

  async dirty(epoch?: number): Promise<void> {
    const { attempt, numbered } = await this.record();
    await this.tell({ kind: 'dirty', job, attempt, uid: sink, shard: 0, epoch: epoch ?? numbered + 1 });
    await this.settle();
  }

  /** As the flow of the checkpoint hears of its own timeout. */
  async expire(checkpoint: number): Promise<void> {
    const { token } = (await this.record()).pending.find(({ id }) => id === checkpoint)!;
    await this.deps.signal.fail(token!, { code: 'States.Timeout', cause: '' });
    await this.settle();
  }

  /** Until nothing more happens without time passing. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      const worked = (await this.#receive()) || (await this.#shards());
      await settle();
      quiet = worked ? 0 : quiet + 1;
    }
  }

  async advance(ms: number): Promise<void> {
    const step = Math.max(1, Math.ceil(ms / 20));
    for (let left = ms; left > 0; left -= step) {
      await this.time.advance(Math.min(step, left));
      await this.settle();
    }
  }

  async #receive(): Promise<boolean> {
    const queue = coordinatorQueue(job);
    const messages = await this.stores.queue.receive(queue, { messagesMax: 10, waitMs: 0, visibilityMs: 500 });
    for (const { body, receipt } of messages) {
      const { process } = this;
      const taken = receiveMessage(process.deps, decodeCoordinatorMessage(body)).then(() => true);
      // A process that has died never answers: its message comes again.
      if (process.dead || !(await Promise.race([taken, process.death.then(() => false)]))) return true;
      await this.stores.queue.deleteBatch(queue, [receipt]);
    }
    return messages.length > 0;
  }

  /** All shards: an order to the sources is answered by every shard that is not mute. */
  async #shards(): Promise<boolean> {
    let worked = false;
    for (const { uid } of this.plan.vertices) {
      const queue = operatorQueue(job, uid);
      for (const { body, receipt } of await this.stores.queue.receive(queue, { messagesMax: 10, waitMs: 0, visibilityMs: 500 })) {
        worked = true;
        const message = readMessage(body);
        if (message.kind === 'control') await this.#obey(message.control);
        await this.stores.queue.deleteBatch(queue, [receipt]);
      }
    }
    return worked;
  }

  readonly #ordered = new Map<string, number>();

  async #obey({ kind, attempt, order }: ControlMessage): Promise<void> {
    if (kind !== 'order' || order === undefined || (await this.record()).attempt !== attempt) return;
    const id = `${attempt}-${order.checkpoint}`;
    const count = (this.#ordered.get(id) ?? 0) + 1;
    this.#ordered.set(id, count);
    const sources = this.plan.vertices
      .filter(({ uid }) => isSourceVertex(this.plan, uid))
      .reduce((sum, { parallelism }) => sum + parallelism, 0);
    if (count !== sources) return;
    for (const snapshot of await this.snapshots(attempt, order.checkpoint)) {
      if (this.mute.has(snapshot.uid)) continue;
      await this.tell({ kind: 'acknowledgement', job, attempt, uid: snapshot.uid, shard: snapshot.shard, snapshot });
    }
  }

  /** Every sink shard stages one part per checkpoint and names all that are newer than `published`. */
  async snapshots(attempt: number, checkpoint: number): Promise<readonly ShardSnapshot[]> {
    const { published } = await this.record();
    const spec = this.plan.vertices.find(({ uid }) => uid === sink)?.operators[0]?.connector;
    const staged =
      spec === undefined
        ? []
        : [await this.collect.stage(spec, { job, attempt, operator: sink, checkpoint, shard: 0, number: 0 }, [`record of ${checkpoint}`])];
    const parts = (this.#parts.get(attempt) ?? []).filter((part) => part.checkpoint > published).concat(staged);
    this.#parts.set(attempt, parts);
    const manifest = manifestOf(this.plan, { attempt, checkpoint }, (uid, shard) => ({
      ...(uid === sink ? { parts } : {}),
      finished: this.finished,
      ...this.decorate(uid, shard, checkpoint),
    }));
    return manifest.shards;
  }

  readonly #parts = new Map<number, Awaited<ReturnType<CollectSink['stage']>>[]>();
}
