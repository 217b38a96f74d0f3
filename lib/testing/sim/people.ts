/**
 * The people around a job: they deploy it, restore it at other parallelism, take savepoints, stop it and go on from one, and their process is restarted.
 */
import type { CheckpointId, JobId } from '../../base/ids.ts';
import type { CoordinatorDeps } from '../../coordinator/coordinator-deps.ts';
import { deploy } from '../../coordinator/deployment.ts';
import { changeWhileRunning } from '../../coordinator/change-settings.ts';
import { takeCheckpoint } from '../../coordinator/manual-checkpoint.ts';
import { restoreCheckpoint, restoreSavepoint, restoreToSavepoint } from '../../coordinator/restore-requests.ts';
import { stopWithSavepoint, takeSavepoint } from '../../coordinator/savepoint-requests.ts';
import { startJob } from '../../coordinator/start-job.ts';
import type { CompiledJob } from '../../dsl/compile-job.ts';
import { expectedShards } from '../../checkpoint/completeness.ts';
import { readPlan } from '../../coordinator/coordinator-deps.ts';
import type { JobFailure } from '../../model/coordinator-message.ts';
import { operatorQueue } from '../../model/queue-names.ts';
import { decodeValue } from '../../model/value-json.ts';
import { newJobId } from '../../local/local-engine.ts';
import type { JobRecord } from '../../model/job-record.ts';
import type { OperationRecord } from '../../ports/records.ts';
import type { SettingsDraw } from './circumstances.ts';
import type { Containers } from './container.ts';
import type { Decisions } from './decisions.ts';
import type { Disturbance } from './fault.ts';
import { openSavepoint } from '../../savepoint/open-savepoint.ts';
import type { Deployment, Services } from './services.ts';
import type { SimStores } from './sim-stores.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface PeopleOptions {
  readonly services: Services;
  readonly world: SimStores;
  readonly time: VirtualTime;
  readonly decisions: Decisions;
  readonly trace: Trace;
  readonly containers: Containers;
  readonly compile: (version: number) => CompiledJob;
  readonly versions: number;
  readonly draw: SettingsDraw;
}

/** One step was hit again and again until its flow gave up: somebody asks for the same once more. */
const unlucky: readonly string[] = ['SLUICE-SIMULATED-FAULT', 'Lambda.Unknown'];
const strict = { allowNonRestoredState: false, allowOtherJob: false };

/** One that is whole, and the jobs whose output it continues, itself last. */
export interface TakenSavepoint {
  readonly location: string;
  readonly jobs: readonly JobId[];
  /** Parts that are no part of its history: somebody had gone back behind them. */
  readonly forgotten: ReadonlySet<string>;
}

export class People {
  readonly #options: PeopleOptions;
  #job!: JobId;
  #jobs: readonly JobId[] = [];
  readonly taken: TakenSavepoint[] = [];
  #deployed!: Deployment;
  #asked = 0;
  /** Of the job, at least: a record of an older one is of before somebody went back. */
  attempt = 1;
  restores = 0;
  savepoints = 0;
  /** From a savepoint to another job. */
  moves = 0;

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  get job(): JobId {
    return this.#job;
  }

  get options(): PeopleOptions {
    return this.#options;
  }

  record(): Promise<JobRecord | undefined> {
    return this.#options.world.stores.jobs.read(this.#job);
  }

  /** What keeps the job from its end. */
  async describe(): Promise<string> {
    const { shards, queue, flows } = this.#options.world.stores;
    const record = await this.record();
    const { plan } = await readPlan(this.#options.world.stores, record!.plan);
    const all: string[] = [];
    for (const { uid, shard } of expectedShards(plan)) {
      const stored = await shards.read({ job: this.#job, uid, shard });
      all.push(`${uid}[${shard}] ${stored?.status ?? 'never began'} in attempt ${stored?.attempt ?? 0}, epoch ${stored?.epoch ?? 0}`);
    }
    for (const { uid } of plan.vertices) all.push(`${await queue.depth(operatorQueue(this.#job, uid))} messages for ${uid}`);
    const running = (await flows.running()).map(({ name, state }) => `${name} in ${state}`);
    return [JSON.stringify(record), ...all, `flows: ${running.join(', ')}`].join('; ');
  }

  async whyFailed({ failure }: JobRecord): Promise<string> {
    const bytes = failure === null ? undefined : await this.#options.world.stores.objects.read(failure);
    if (bytes === undefined) return 'nobody knows why';
    const { operator, shard, code, message } = decodeValue(Buffer.from(bytes).toString('utf8')) as JobFailure;
    return `${operator}[${shard}]: ${code} ${message}`;
  }

  async begin(): Promise<void> {
    const { services, draw } = this.#options;
    const compiled = this.#anyVersion();
    const { plan, planHash } = compiled;
    const job = this.#newJob();
    this.#now(job);
    this.#deployed = services.deploy(job, compiled);
    await services.ask((deps) => startJob(deps, { job, name: plan.name, plan, planHash, settings: draw.current }));
  }

  /** One thing after the other, for as long as there are faults and the job runs. */
  async disturb(): Promise<void> {
    const { time, decisions, containers } = this.#options;
    for (let occurrence = 0; containers.active; occurrence++) {
      await time.sleep(100 + decisions.below('disturb/pause', 2_000));
      if (!containers.active || (await this.record())?.status !== 'RUNNING') continue;
      const kind = containers.disturbance(occurrence);
      if (kind !== undefined) await this.act(kind);
    }
  }

  async act(kind: Disturbance): Promise<void> {
    const { time, services, trace } = this.#options;
    switch (kind) {
      case 'restore':
        return this.#restore();
      case 'savepoint':
        return void (await this.#savepoint());
      case 'back':
        return this.#back();
      case 'move':
        return this.#move();
      case 'checkpoint':
        return void (await this.#checkpoint());
      case 'change':
        return this.#change();
      case 'restart':
        trace.tell(time.nowMs, 'world', 'the process that runs the flows is restarted');
        return services.restart();
    }
  }

  /** The functions of the new version come before or after the switch: until it they leave the messages where they are. */
  async #restore(): Promise<void> {
    const { services, trace, time, world, draw } = this.#options;
    const compiled = this.#anyVersion();
    const { plan, planHash } = compiled;
    const checkpoint = await this.#whereTo();
    trace.tell(time.nowMs, 'people', `restore checkpoint ${checkpoint} as ${planHash}`);
    const next = services.deploy(this.#job, compiled);
    const newPlan = { plan, planHash, settings: draw.next() };
    const order = { job: this.#job, trigger: this.trigger(), checkpoint, publishedSeen: null, ...strict } as const;
    const ended = await this.operation((deps) => restoreCheckpoint(deps, { ...order, newPlan }));
    if (ended.failure === null) {
      this.restores++;
      if (checkpoint !== 'newest') world.shown.forget(checkpoint, Number(ended.progress['attempt']));
      this.#replace(next);
    } else {
      // After the switch it is no longer refused; what failed before it changed nothing.
      trace.tell(time.nowMs, 'people', `the restore failed: ${ended.failure.message}`);
      next.stop();
    }
  }

  /** As CloudFormation does it: the functions come first, and a restore of the newest checkpoint is the last act. */
  async deployAnew(): Promise<void> {
    const { services, trace, time, draw, world } = this.#options;
    const compiled = this.#anyVersion();
    const { plan, planHash } = compiled;
    if ((await this.record())?.planHash === planHash) return;
    trace.tell(time.nowMs, 'people', `deploy ${planHash}`);
    const next = services.deploy(this.#job, compiled);
    const deployment = { job: this.#job, newPlan: { plan, planHash, settings: draw.next() }, allowNonRestoredState: false };
    const order = { job: this.#job, trigger: this.trigger() };
    await services.ask((deps) => deploy(deps, deployment, order.trigger));
    // The job may have ended meanwhile: then there is nothing to restore.
    const isRestored = (await world.stores.operations.read(order.job, order.trigger)) !== undefined;
    if (!isRestored || (await this.operation(() => Promise.resolve(order))).failure !== null) return next.stop();
    this.restores++;
    this.#replace(next);
  }

  async #checkpoint(): Promise<OperationRecord> {
    const { trace, time } = this.#options;
    trace.tell(time.nowMs, 'people', 'take a checkpoint');
    const order = { job: this.#job, trigger: this.trigger() };
    return this.operation((deps) => takeCheckpoint(deps, order));
  }

  /** Other checkpoint settings for the job as it runs. */
  async #change(): Promise<void> {
    const { trace, time, services, draw } = this.#options;
    if (!draw.mayChange) return;
    const settings = draw.next();
    const { mode, unaligned, intervalMs, maxConcurrent } = settings;
    const how = `${unaligned ? 'unaligned' : mode} every ${intervalMs} ms, ${maxConcurrent} at a time`;
    trace.tell(time.nowMs, 'people', `checkpoints from now on ${how}`);
    await services.ask((deps) => changeWhileRunning(deps, this.#job, () => settings));
  }

  /** Where several are retained, now and then to one that is not the newest. */
  async #whereTo(): Promise<CheckpointId | 'newest'> {
    const { decisions } = this.#options;
    const retained = (await this.record())?.retained ?? [];
    return retained.length > 1 && decisions.chance('restore/older', 0.5) ? decisions.pick('restore/which', retained).id : 'newest';
  }

  /** Nobody has restored the job meanwhile: what a savepoint is written from must still be there. */
  async #expectHeld(before: JobRecord | undefined, { failure }: OperationRecord): Promise<void> {
    if (failure?.code === 'SLUICE-OBJECT-MISSING' && failure.message.includes('/exports/'))
      throw new Error(`a savepoint lost its progress while it was being written: ${failure.message}`);
    const now = await this.record();
    if (failure?.message.includes('no longer held') === true && now?.status === 'RUNNING' && now.attempt === before?.attempt)
      throw new Error(`a savepoint was not held while it was being written: ${failure.message}`);
  }

  async #savepoint(): Promise<OperationRecord> {
    const { trace, time } = this.#options;
    trace.tell(time.nowMs, 'people', 'take a savepoint');
    const order = { job: this.#job, trigger: this.trigger(), directory: 'savepoints' };
    const before = await this.record();
    const ended = await this.operation((deps) => takeSavepoint(deps, order));
    await this.#expectHeld(before, ended);
    if (ended.failure === null) this.#note(ended);
    return ended;
  }

  /** To one of its savepoints; where it has none, to one that is taken now. */
  async #back(): Promise<void> {
    const { decisions } = this.#options;
    const own = (): readonly TakenSavepoint[] => this.taken.filter(({ jobs }) => jobs.at(-1) === this.#job);
    if (own().length === 0) await this.#savepoint();
    if (own().length > 0) await this.#goBackTo(decisions.pick('back/to', own()));
  }

  /** The job itself, whatever it has done since. */
  async #goBackTo({ location, forgotten }: TakenSavepoint): Promise<OperationRecord> {
    const { services, trace, time, world, draw } = this.#options;
    const compiled = this.#anyVersion();
    const { plan, planHash } = compiled;
    trace.tell(time.nowMs, 'people', `go back to ${location} as ${planHash}`);
    const next = services.deploy(this.#job, compiled);
    const newPlan = { plan, planHash, settings: draw.next() };
    const order = { job: this.#job, trigger: this.trigger(), location, publishedSeen: null, newPlan, ...strict };
    const ended = await this.operation((deps) => restoreToSavepoint(deps, order));
    if (ended.failure !== null) {
      trace.tell(time.nowMs, 'people', `the job does not go back: ${ended.failure.message}`);
      next.stop();
      return ended;
    }
    this.restores++;
    const { checkpoint } = await openSavepoint(world.savepoints.at(location));
    this.attempt = Number(ended.progress['attempt']);
    world.shown.forget(checkpoint, this.attempt, forgotten);
    this.#replace(next);
    return ended;
  }

  /** Stops the job, and goes on from the savepoint: as another, or as itself. */
  async #move(): Promise<void> {
    const { trace, time, decisions } = this.#options;
    trace.tell(time.nowMs, 'people', 'stop with a savepoint');
    const order = { job: this.#job, trigger: this.trigger(), directory: 'savepoints', stop: 'suspend' } as const;
    const ended = await this.operation((deps) => stopWithSavepoint(deps, order));
    if (ended.failure !== null) return;
    this.#note(ended);
    if (decisions.chance('move/itself', 0.3)) return this.#goOnItself(this.taken.at(-1)!);
    this.moves++;
    await this.goOnFrom(ended.location!);
  }

  async #goOnItself(savepoint: TakenSavepoint): Promise<void> {
    const { failure } = await this.#goBackTo(savepoint);
    if (failure !== null && unlucky.includes(failure.code)) return this.#goOnItself(savepoint);
    if (failure !== null) throw new Error(`a savepoint of this very job was refused: ${failure.message}`);
  }

  /** As another job; what ran before is left alone. */
  async goOnFrom(location: string): Promise<void> {
    const { trace, time, services, draw } = this.#options;
    const compiled = this.#anyVersion();
    const { plan, planHash } = compiled;
    const job = this.#newJob();
    const newPlan = { plan, planHash, settings: draw.next() };
    trace.tell(time.nowMs, 'people', `go on from it as ${planHash}, job ${job}`);
    this.#now(job);
    const restore = { job, trigger: this.trigger(), location, newPlan, ...strict };
    const restored = await this.operation((deps) => restoreSavepoint(deps, restore));
    if (restored.failure !== null && unlucky.includes(restored.failure.code)) return this.goOnFrom(location);
    if (restored.failure !== null) throw new Error(`a savepoint of this very job was refused: ${restored.failure.message}`);
    this.#replace(services.deploy(job, compiled));
  }

  #replace(next: Deployment): void {
    const { time, decisions } = this.#options;
    const before = this.#deployed;
    this.#deployed = next;
    time.after(decisions.below('deploy/overlap', 800), () => before.stop());
  }

  /** Asks for something, and waits until it has ended. */
  async operation(ask: (deps: CoordinatorDeps) => Promise<Pick<OperationRecord, 'job' | 'trigger'>>): Promise<OperationRecord> {
    const { services, world, time } = this.#options;
    const { job, trigger } = await services.ask(ask);
    for (;;) {
      const record = (await world.stores.operations.read(job, trigger))!;
      if (record.status === 'COMPLETED') return record;
      await time.sleep(50);
    }
  }

  #now(job: JobId): void {
    this.#job = job;
    this.attempt = 1;
    this.#jobs = [...this.#jobs, job];
  }

  #note({ location }: OperationRecord): void {
    this.savepoints++;
    this.taken.push({ location: location!, jobs: this.#jobs, forgotten: this.#options.world.shown.forgotten });
  }

  #newJob(): JobId {
    return newJobId({ hex: (digits) => this.#options.decisions.hex('job', digits), fraction: () => 0 });
  }

  trigger(): string {
    return `trigger-${++this.#asked}`;
  }

  #anyVersion(): CompiledJob {
    const { compile, decisions, versions } = this.#options;
    return compile(1 + decisions.below('parallelism', versions));
  }
}
