/** A push source on the bench: its log, an intake that feeds it, and how a test lets its messages come. */
import { expect } from 'vitest';
import { createIntakeSource } from '../../lib/adapters/connectors/intake-source.ts';
import { createMemoryIntakeLog } from '../../lib/adapters/memory/intake-log.ts';
import { silentLogger } from '../../lib/adapters/system/logger.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import { defaultCheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { encodeStoredPlan } from '../../lib/checkpoint/stored-plan.ts';
import { boundedOutOfOrderness, collectSink, compileJob, defineJob, sourceFromSqs, type CompiledJob } from '../../lib/index.ts';
import { createIntake, type TakeIn } from '../../lib/intake/take-in.ts';
import { identityOf } from '../../lib/model/intake-identity.ts';
import { partitionOf } from '../../lib/model/intake.ts';
import { operatorQueue } from '../../lib/model/queue-names.ts';
import type { ReceivedMessage } from '../../lib/ports/message-queue.ts';
import { jobA } from '../contract/sample-records.ts';
import { ShardBench, type BenchOptions, type Hook } from './shard-bench.ts';

const partitions = 2;
const uid = operatorUid('readings');
const source = sourceFromSqs<{ readonly at: number }>('orders', { partitions });

function compile(idleness?: number, timeoutMs?: number): CompiledJob {
  const watermarks = boundedOutOfOrderness(10, ({ at }: { readonly at: number }) => at, idleness === undefined ? {} : { idleness });
  const job = defineJob({
    name: 'pushed',
    build(env) {
      const readings = env.fromSource(source, { watermarks }).uid('readings');
      if (timeoutMs !== undefined) readings.setBufferTimeout(timeoutMs);
      readings
        .rebalance()
        .map((reading) => reading)
        .uid('middle')
        .rebalance()
        .sinkTo(collectSink('out'))
        .uid('out');
    },
  });
  return compileJob(job, { parallelism: 1 });
}

export interface PushWorldOptions extends BenchOptions {
  readonly idleness?: number;
  readonly bufferTimeoutMs?: number;
}

export class PushWorld {
  readonly log = createMemoryIntakeLog();
  readonly bench: ShardBench;
  readonly takeIn: TakeIn;
  /** Event times that have come downstream, by envelope. */
  readonly #arrived = new Map<number, readonly number[]>();

  private constructor(bench: ShardBench, log: PushWorld['log'], takeIn: TakeIn) {
    this.bench = bench;
    this.log = log;
    this.takeIn = takeIn;
  }

  static async open({ idleness, bufferTimeoutMs, ...options }: PushWorldOptions = {}): Promise<PushWorld> {
    const log = createMemoryIntakeLog();
    const compiled = compile(idleness, bufferTimeoutMs);
    const stored = encodeStoredPlan(jobA, { plan: compiled.plan, settings: defaultCheckpointSettings });
    const bench = await ShardBench.open(compiled, 'readings', {
      ...options,
      job: { plan: stored.key, ...options.job },
      sources: { intake: createIntakeSource(log) },
    });
    await bench.stores.objects.createIfAbsent(stored.key, stored.bytes);
    const { jobs, objects, queue: messages } = bench.stores;
    const deps = { log, jobs, objects, messages, clock: bench.time.clock, logger: silentLogger };
    return new PushWorld(bench, log, createIntake(deps, { job: jobA, uid, name: 'orders', partitions }));
  }

  /** As messages of a standard queue: the same event time is the same message. */
  async send(...times: readonly number[]): Promise<boolean> {
    const offered = times.map((at) => ({ key: `${at}`, id: identityOf(`${at}`), text: JSON.stringify({ at }) }));
    return (await this.takeIn(offered)).taken.every((taken) => taken);
  }

  /** Writes an entry, as an intake does that dies then. */
  async writeOnly(at: number): Promise<void> {
    const partition = { intake: 'orders', partition: partitionOf(`${at}`, partitions) };
    const takenAtMs = this.bench.time.clock.now();
    await this.log.append(partition, { takenAtMs, closes: false, records: [{ id: identityOf(`${at}`), text: JSON.stringify({ at }) }] });
  }

  async receive(): Promise<readonly ReceivedMessage[]> {
    return this.bench.stores.queue.receive(operatorQueue(jobA, uid), { messagesMax: 10, waitMs: 0, visibilityMs: 1_000 });
  }

  /** Works off the shard's queue until nothing is in it that could be taken now. Returns how many batches there were. */
  async settle(): Promise<number> {
    for (let batches = 0; ; batches++) {
      const messages = await this.receive();
      if (messages.length === 0) return batches;
      await this.handle(messages);
      expect(batches).toBeLessThan(100);
    }
  }

  async handle(messages: readonly ReceivedMessage[]): Promise<void> {
    const queue = operatorQueue(jobA, uid);
    const failed = new Set(await this.bench.environment.handle(messages));
    const split = (isFailed: boolean) =>
      messages.filter(({ messageId }) => failed.has(messageId) === isFailed).map(({ receipt }) => receipt);
    const { queue: messageQueue } = this.bench.stores;
    if (failed.size < messages.length) await messageQueue.deleteBatch(queue, split(false));
    if (failed.size > 0) await messageQueue.changeVisibility(queue, split(true), 0);
  }

  restart(hook?: Hook): void {
    this.bench.restart(hook);
  }

  /** Event times downstream, once per envelope however often it was sent. */
  async outcome(): Promise<number[]> {
    for (const { header, values } of await this.bench.sentTo('middle'))
      this.#arrived.set(header.sequence, (values as { readonly at: number }[]).map(({ at }) => at)); // prettier-ignore
    return [...this.#arrived].sort(([a], [b]) => a - b).flatMap(([, times]) => times);
  }
}
