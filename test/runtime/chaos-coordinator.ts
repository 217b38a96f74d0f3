/** A coordinator for the chaos world: correct and simple, one step at a time, never failing itself. */
import type { CollectSink } from '../../lib/adapters/connectors/collect-sink.ts';
import type { LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { inFlightChannels } from '../../lib/checkpoint/in-flight.ts';
import { oldestInFlight, trimInFlight } from '../../lib/checkpoint/trim-in-flight.ts';
import { encodeDescriptor, encodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import type { CompiledJob } from '../../lib/dsl/compile-job.ts';
import { decodeCoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import { encodeControl } from '../../lib/model/envelope-codec.ts';
import type { BarrierOrder, CheckpointMode, ControlMessage } from '../../lib/model/envelope.ts';
import { isSourceVertex, type ConnectorSpec } from '../../lib/model/job-plan.ts';
import type { JobRecord, PendingCheckpoint } from '../../lib/model/job-record.ts';
import { descriptorKey, manifestKey } from '../../lib/model/object-keys.ts';
import { coordinatorQueue, operatorQueue, shardGroup } from '../../lib/model/queue-names.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import { jobA } from '../contract/sample-records.ts';
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

export class ChaosCoordinator {
  readonly #options: CoordinatorOptions;
  #compiled: CompiledJob;
  /** Of the checkpoint that completed last: where its epochs began. */
  #last: { readonly attempt: number; readonly shards: readonly ShardSnapshot[] } | undefined;
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
    const times = { triggeredAtMs: nowMs(), deadlineMs: 0, ...(isOvertaking ? { overtakeAtMs } : {}) };
    const entry: PendingCheckpoint = { id: checkpoint, kind: 'checkpoint', flow: 'x', token: null, ...times };
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

  async #complete(attempt: number, checkpoint: number, acknowledged: readonly ShardSnapshot[]): Promise<void> {
    const { stores, collect } = this.#options;
    const mode = this.#modes.get(checkpoint)!;
    const { plan, planHash } = this.#compiled;
    const isUnaligned = this.#options.alignedTimeoutMs !== null && mode === 'exactly-once';
    const older = this.#last?.attempt === attempt ? this.#last.shards : [];
    const shards = isUnaligned ? trimInFlight({ plan, shards: acknowledged }, older) : acknowledged;
    this.#last = { attempt, shards };
    const areCountsExact = this.laxRestores === 0;
    const problem = mode === 'exactly-once' ? await cutProblem(stores.objects, plan, shards, { isUnaligned, areCountsExact }) : undefined;
    if (inFlightChannels({ plan, shards }).length > 0) this.overtaken++;
    if (problem !== undefined) this.failures.push(`checkpoint ${checkpoint} is no cut: ${problem}`);
    const key = manifestKey(jobA, attempt, checkpoint);
    const manifest = {
      format: 1,
      job: jobA,
      jobName: 'chaos',
      attempt,
      checkpoint,
      kind: 'checkpoint',
      mode,
      ...(isUnaligned ? ({ unaligned: true } as const) : {}),
      plan,
      planHash,
      shards,
      triggeredAtMs: 0,
      completedAtMs: 0,
    } as const;
    await stores.objects.createIfAbsent(key, encodeManifest(manifest));
    for (const { parts } of shards)
      for (const part of parts) await collect.publish(this.#connectorOf(part.operator), part, { job: manifest.job, createdAtMs: 0 });
    this.completed++;
    for (const number of this.#acknowledged.keys()) if (number <= checkpoint) this.#acknowledged.delete(number);
    const inFlightFrom = oldestInFlight(shards);
    const { inFlightFrom: _, ...job } = await this.job();
    const next = {
      ...job,
      ...(inFlightFrom === null ? {} : { inFlightFrom }),
      pending: job.pending.filter(({ id }) => id > checkpoint),
      version: job.version + 1,
      completed: checkpoint,
      published: checkpoint,
      floor: checkpoint,
      retained: [{ id: checkpoint, kind: 'checkpoint', manifest: key }],
    } as const;
    await stores.jobs.replace(next, job.version);
  }

  #connectorOf(uid: string): ConnectorSpec {
    return this.#compiled.plan.vertices.flatMap(({ operators }) => operators).find((operator) => operator.uid === uid)!.connector!;
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
