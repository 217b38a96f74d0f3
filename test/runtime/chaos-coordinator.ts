/** A coordinator for the chaos world: correct and simple, one step at a time, never failing itself. */
import type { CollectSink } from '../../lib/adapters/connectors/collect-sink.ts';
import type { LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { MemorySavepointFolders } from '../../lib/adapters/memory/savepoint-folders.ts';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import { inFlightChannels } from '../../lib/checkpoint/in-flight.ts';
import { defaultCheckpointSettings, type CheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { decodeManifest, encodeDescriptor } from '../../lib/checkpoint/manifest-codec.ts';
import { encodeStoredPlan } from '../../lib/checkpoint/stored-plan.ts';
import { completeCheckpoint } from '../../lib/coordinator/complete-checkpoint.ts';
import type { CoordinatorDeps } from '../../lib/coordinator/coordinator-deps.ts';
import type { CompiledJob } from '../../lib/dsl/compile-job.ts';
import { decodeCoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import { encodeControl } from '../../lib/model/envelope-codec.ts';
import type { BarrierOrder, CheckpointMode, ControlMessage } from '../../lib/model/envelope.ts';
import { isSourceVertex } from '../../lib/model/job-plan.ts';
import type { JobRecord, PendingCheckpoint } from '../../lib/model/job-record.ts';
import { descriptorKey } from '../../lib/model/object-keys.ts';
import { coordinatorQueue, operatorQueue, shardGroup } from '../../lib/model/queue-names.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import { jobA, jobRecord } from '../contract/sample-records.ts';
import { cutProblem } from '../../lib/testing/sim/cut-problem.ts';
import { describeJob } from './chaos-describe.ts';
import type { Choices } from './chaos-random.ts';

export interface CoordinatorOptions {
  readonly stores: LocalStores;
  readonly collect: CollectSink;
  readonly choices: Choices;
  readonly mode: CheckpointMode | 'mixed';
  /** null: barriers overtake nothing. */
  readonly alignedTimeoutMs: number | null;
  readonly nowMs: () => number;
}

/** Checkpoints come and go by the world's own hand. */
const settings: CheckpointSettings = { ...defaultCheckpointSettings, retained: 1, maxConcurrent: 8 };
const idleFlows = { start: async () => 'started' as const, isRunning: async () => true };

function depsOf({ stores, collect, choices, nowMs }: CoordinatorOptions): CoordinatorDeps {
  const random = { hex: (digits: number) => choices.hex(digits), fraction: () => 0.5 };
  return {
    ...stores,
    messages: stores.queue,
    connectors: { sources: {}, sinks: { collect, 'dead-letters': collect } },
    savepoints: new MemorySavepointFolders(),
    signal: { succeed: async () => 'gone', fail: async () => 'gone' },
    flows: idleFlows,
    clock: { now: nowMs, monotonic: nowMs },
    random,
    logger: silentLogger,
    sweepMs: 3_600_000,
    collectMs: 3_600_000,
    garbageAgeMs: 0,
    stepMs: 1_000,
  };
}

export class ChaosCoordinator {
  readonly #options: CoordinatorOptions;
  #compiled: CompiledJob;
  readonly #deps: CoordinatorDeps;
  /** As they were when they were ordered. */
  readonly #entries = new Map<number, PendingCheckpoint>();
  #acknowledged = new Map<number, Map<string, ShardSnapshot>>();
  completed = 0;
  restores = 0;
  laxRestores = 0;
  readonly #modes = new Map<number, CheckpointMode>();
  overtaken = 0;
  /** Why the job would have failed. */
  readonly failures: string[] = [];

  constructor(options: CoordinatorOptions, compiled: CompiledJob) {
    this.#options = options;
    this.#compiled = compiled;
    this.#deps = depsOf(options);
  }

  /** The job as it begins. */
  async begin(): Promise<void> {
    const plan = await this.#storePlan();
    const counts = { completed: 0, failed: 0, restored: 0 };
    const none = { triggeredAtMs: 0, completedAtMs: 0, ended: {}, sweepAtMs: 0, counts };
    await this.#options.stores.jobs.create(jobRecord({ job: jobA, plan, planHash: this.#compiled.planHash, firstEpoch: 1, ...none }));
  }

  planKey(): string {
    return encodeStoredPlan(jobA, { plan: this.#compiled.plan, settings }).key;
  }

  async #storePlan(): Promise<string> {
    const { key, bytes } = encodeStoredPlan(jobA, { plan: this.#compiled.plan, settings });
    await this.#options.stores.objects.createIfAbsent(key, bytes);
    return key;
  }

  async job(): Promise<JobRecord> {
    return (await this.#options.stores.jobs.read(jobA))!;
  }

  async #change(changes: Partial<JobRecord>): Promise<void> {
    const job = await this.job();
    await this.#options.stores.jobs.replace({ ...job, ...changes, version: job.version + 1 }, job.version);
  }

  /** Snapshots that may still complete: what they name is needed. */
  pending(): readonly ShardSnapshot[] {
    return [...this.#acknowledged.values()].flatMap((present) => [...present.values()]);
  }

  /** `half`: the coordinator dies between two source shards. */
  async trigger(half: boolean): Promise<void> {
    const job = await this.job();
    const checkpoint = job.numbered + 1;
    const { alignedTimeoutMs, nowMs } = this.#options;
    const overtakeAtMs = nowMs() + (alignedTimeoutMs ?? 0);
    const mode = this.#chooseMode();
    this.#modes.set(checkpoint, mode);
    const isOvertaking = alignedTimeoutMs !== null && mode === 'exactly-once';
    const times = { triggeredAtMs: nowMs(), deadlineMs: Number.MAX_SAFE_INTEGER, ...(isOvertaking ? { overtakeAtMs } : {}) };
    const entry: PendingCheckpoint = { id: checkpoint, kind: 'checkpoint', mode, flow: 'x', token: null, ...times };
    this.#entries.set(checkpoint, entry);
    // Not for the modes in which nobody looks there.
    await this.#change({ numbered: checkpoint, ...(alignedTimeoutMs === null ? {} : { pending: [...job.pending, entry].slice(-8) }) });
    const order: BarrierOrder = { checkpoint, mode, ...(isOvertaking ? { overtakeAtMs } : {}) };
    for (const vertex of this.#compiled.plan.vertices.filter(({ uid }) => isSourceVertex(this.#compiled.plan, uid))) {
      for (let shard = 0; shard < vertex.parallelism; shard++) {
        if (half && this.#options.choices.chance(0.5)) continue;
        await this.#send(vertex.uid, shard, `o${checkpoint}`, {
          kind: 'order',
          job: jobA,
          attempt: job.attempt,
          number: checkpoint,
          order,
        });
      }
    }
  }

  #chooseMode(): CheckpointMode {
    const { mode, choices } = this.#options;
    if (mode !== 'mixed') return mode;
    return choices.chance(0.5) ? 'exactly-once' : 'at-least-once';
  }

  async #send(uid: string, shard: number, dedup: string, control: ControlMessage): Promise<void> {
    const { attempt } = control;
    const message = { group: shardGroup(shard, attempt), deduplicationId: `${attempt}-${shard}-${dedup}`, body: encodeControl(control) };
    await this.#options.stores.queue.sendBatch(operatorQueue(jobA, uid as never), [message]);
  }

  async kickAll(): Promise<void> {
    const { attempt } = await this.job();
    for (const vertex of this.#compiled.plan.vertices) {
      for (let shard = 0; shard < vertex.parallelism; shard++) {
        await this.#send(vertex.uid, shard, 'kick', { kind: 'kick', job: jobA, attempt, number: 1 });
      }
    }
  }

  async receive(visibilityMs: number): Promise<void> {
    const { queue } = this.#options.stores;
    const name = coordinatorQueue(jobA);
    const messages = await queue.receive(name, { messagesMax: 10, waitMs: 0, visibilityMs });
    for (const { body } of messages) {
      const message = decodeCoordinatorMessage(body);
      if (message.kind === 'failed' && message.mayRestart !== true) this.failures.push(`job failed: ${JSON.stringify(message.failure)}`);
      if (message.kind === 'acknowledgement') await this.#acknowledge(message.snapshot);
    }
    if (messages.length > 0) await queue.deleteBatch(name, messages.map(({ receipt }) => receipt)); // prettier-ignore
  }

  async #acknowledge(snapshot: ShardSnapshot): Promise<void> {
    const job = await this.job();
    if (snapshot.attempt !== job.attempt || snapshot.checkpoint <= job.completed || snapshot.checkpoint <= job.aborted) return;
    let present = this.#acknowledged.get(snapshot.checkpoint);
    if (present === undefined) this.#acknowledged.set(snapshot.checkpoint, (present = new Map<string, ShardSnapshot>()));
    present.set(`${snapshot.uid}/${snapshot.shard}`, snapshot);
    const expected = this.#compiled.plan.vertices.reduce((sum, { parallelism }) => sum + parallelism, 0);
    if (present.size === expected) await this.#complete(snapshot.attempt, snapshot.checkpoint, [...present.values()]);
  }

  /** By the coordinator's own step: what it retains, trims and publishes is what is tested here too. */
  async #complete(attempt: number, checkpoint: number, acknowledged: readonly ShardSnapshot[]): Promise<void> {
    const { stores } = this.#options;
    const mode = this.#modes.get(checkpoint)!;
    for (const snapshot of acknowledged) await stores.acknowledgements.put(snapshot);
    const { pending } = await this.job();
    if (!pending.some(({ id }) => id === checkpoint)) await this.#change({ pending: [...pending, this.#entries.get(checkpoint)!] });
    const completed = await completeCheckpoint(this.#deps, { job: jobA, flow: 'x', checkpoint, attempt });
    if (completed.outcome !== 'completed') return void this.failures.push(`checkpoint ${checkpoint} could not be completed`);
    const { shards, unaligned } = decodeManifest((await stores.objects.read(completed.manifest))!, completed.manifest);
    const { plan } = this.#compiled;
    const how = { isUnaligned: unaligned === true, areCountsExact: this.laxRestores === 0 };
    const problem = mode === 'exactly-once' ? await cutProblem(stores.objects, plan, shards, how) : undefined;
    if (inFlightChannels({ plan, shards }).length > 0) this.overtaken++;
    if (problem !== undefined) this.failures.push(`checkpoint ${checkpoint} is no cut: ${problem}`);
    this.completed++;
    for (const number of this.#acknowledged.keys()) if (number <= checkpoint) this.#acknowledged.delete(number);
  }

  async abort(): Promise<void> {
    const job = await this.job();
    if (job.numbered > job.completed && job.numbered > job.aborted) await this.#change({ aborted: job.numbered, pending: [] });
  }

  /** A new attempt from the newest checkpoint, under another plan. Nobody is kicked yet. */
  async restore(compiled: CompiledJob): Promise<void> {
    const { objects } = this.#options.stores;
    const job = await this.job();
    this.restores++;
    if (this.#modes.get(job.retained[0]?.id ?? 0) === 'at-least-once') this.laxRestores++;
    this.#compiled = compiled;
    const attempt = job.attempt + 1;
    const newest = job.retained[0];
    const descriptor = newest === undefined ? null : descriptorKey(jobA, attempt, 'x');
    if (newest !== undefined) {
      const body = { format: 1, job: jobA, attempt, checkpoint: newest.id, manifest: newest.manifest, dropped: [] } as const;
      await objects.createIfAbsent(descriptor!, encodeDescriptor(body));
    }
    await this.#change({
      attempt,
      descriptor,
      plan: await this.#storePlan(),
      // It may have come to its end while there were faults.
      status: 'RUNNING',
      planHash: compiled.planHash,
      aborted: job.numbered,
      firstEpoch: job.numbered + 1,
      pending: [],
    });
    this.#acknowledged.clear();
  }

  async isFinished(): Promise<boolean> {
    const job = await this.job();
    for (const { uid, parallelism } of this.#compiled.plan.vertices) {
      for (let shard = 0; shard < parallelism; shard++) {
        const record = await this.#options.stores.shards.read({ job: jobA, uid, shard });
        if (record === undefined || record.attempt !== job.attempt || record.status !== 'finished' || record.settled > job.completed)
          return false;
      }
    }
    return true;
  }

  describe(): Promise<string> {
    return describeJob(this.#options.stores, this.#compiled.plan);
  }
}
