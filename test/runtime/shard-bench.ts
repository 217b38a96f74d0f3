/**
 * One vertex of a job on the bench: a test plays its neighbours, hands it messages one batch at a time, and reads what it sends, stores and says.
 */
import { createCollectSink } from '../../lib/adapters/connectors/collect-sink.ts';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { createMemoryStores, type LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { operatorUid, type ChannelId } from '../../lib/base/ids.ts';
import type { CompiledJob } from '../../lib/dsl/compile-job.ts';
import { decodeCoordinatorMessage, type CoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import { decodeEnvelope, encodeControl, encodeEnvelope, readMessage } from '../../lib/model/envelope-codec.ts';
import { packRecords } from '../../lib/model/packed-records.ts';
import type { BarrierOrder, CheckpointMode, ControlKind, ControlMessage, Envelope, StreamEvent } from '../../lib/model/envelope.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import { coordinatorQueue, operatorQueue, shardGroup } from '../../lib/model/queue-names.ts';
import type { ShardRecord } from '../../lib/model/shard-record.ts';
import { NO_TIMESTAMP } from '../../lib/model/time.ts';
import type { SplitReader } from '../../lib/ports/connectors.ts';
import type { ReceivedMessage } from '../../lib/ports/message-queue.ts';
import { OperatorFunction } from '../../lib/runtime/operator-function.ts';
import type { RuntimeDeps, RuntimeSettings } from '../../lib/runtime/runtime-deps.ts';
import { encodeSegment } from '../../lib/runtime/segment.ts';
import { deepFreeze } from '../contract/fixture.ts';
import { jobA, jobRecord } from '../contract/sample-records.ts';
import { ManualTime } from '../contract/manual-time.ts';

/** Called around every port call; may throw, before or after `act`, or wait. */
export type Hook = (site: string, act: () => Promise<unknown>) => Promise<unknown>;

export interface BenchOptions {
  readonly shard?: number;
  readonly settings?: Partial<RuntimeSettings>;
  readonly job?: Partial<JobRecord>;
  readonly sources?: Readonly<Record<string, SplitReader>>;
  readonly bill?: RuntimeDeps['bill'];
  readonly timeLeft?: RuntimeDeps['timeLeft'];
  /** Another shard of the same job, maybe of another plan: they share what is stored. */
  readonly beside?: ShardBench;
}

const settings: RuntimeSettings = {
  compressEnvelopes: false,
  functionTimeoutMs: 30_000,
  sourceRecordsPerCommit: 100,
  backlogMessagesPerShard: 10,
  backPressureSleepMs: 50,
  backlogCheckMs: 0,
  sourceIdleMs: 20,
  stateCacheKeys: 1_000,
  stateCacheEntries: 1_000,
  jobRecordCacheMs: 0,
  lookEveryMs: Number.POSITIVE_INFINITY,
  recordsPerLook: 64,
  triesBeforeCare: 5,
  triesAlone: 3,
};

/** A message as it would be received; `receiveCount` and identity are the test's. */
export type Message = ReceivedMessage;

let messageNumber = 0;

export class ShardBench {
  readonly time: ManualTime;
  readonly collect = createCollectSink();
  readonly stores: LocalStores;
  readonly compiled: CompiledJob;
  readonly uid: string;
  readonly shard: number;
  readonly logged: string[] = [];
  readonly #options: BenchOptions;
  /** The warm function that `handle` uses. */
  environment: OperatorFunction;
  /** Names of port calls, in order. */
  calls: string[] = [];
  #tries = 0;

  private constructor(compiled: CompiledJob, uid: string, options: BenchOptions) {
    this.compiled = compiled;
    this.uid = uid;
    this.shard = options.shard ?? 0;
    this.#options = options;
    this.time = options.beside?.time ?? new ManualTime();
    const random = { hex: (digits: number) => (++this.#tries).toString(16).padStart(digits, '0'), fraction: () => 0 };
    this.stores =
      options.beside?.stores ?? createMemoryStores({ clock: this.time.clock, timers: this.time.timers, random, protect: deepFreeze });
    this.environment = this.newEnvironment();
  }

  static async open(compiled: CompiledJob, uid: string, options: BenchOptions = {}): Promise<ShardBench> {
    const bench = new ShardBench(compiled, uid, options);
    if (options.beside !== undefined) return bench;
    await bench.stores.jobs.create(jobRecord({ job: jobA, planHash: compiled.planHash, version: 1, firstEpoch: 1, ...options.job }));
    return bench;
  }

  /** A cold function; several are several Lambda environments. */
  newEnvironment(hook: Hook = (_site, act) => act()): OperatorFunction {
    const { plan, registry, planHash } = this.compiled;
    const guarded = <T extends object>(name: string, target: T): T =>
      new Proxy(target, {
        get: (object, property) => {
          const value: unknown = Reflect.get(object, property);
          if (typeof value !== 'function') return value;
          const site = `${name}.${String(property)}`;
          if (property === 'locate') return value.bind(object) as unknown;
          return (...parameters: unknown[]) =>
            hook(site, () => {
              this.calls.push(site);
              return Reflect.apply(value, object, parameters) as Promise<unknown>;
            });
        },
      });
    const deps: RuntimeDeps = {
      jobs: guarded('jobs', this.stores.jobs),
      shards: guarded('shards', this.stores.shards),
      objects: guarded('objects', this.stores.objects),
      base: guarded('base', this.stores.base),
      messages: guarded('queue', this.stores.queue),
      delay: guarded('delay', this.stores.delay),
      connectors: {
        sources: { ...createLocalConnectors().sources, ...this.#options.sources },
        sinks: { collect: guarded('sink', this.collect) },
      },
      clock: this.time.clock,
      random: { hex: (digits) => (++this.#tries).toString(16).padStart(digits, '0'), fraction: () => 0 },
      logger: { log: (level, message, facts) => this.logged.push(`${level} ${message} ${JSON.stringify(facts)}`) },
      metrics: { count: () => undefined, gauge: () => undefined },
      ...(this.#options.bill === undefined ? {} : { bill: this.#options.bill }),
      ...(this.#options.timeLeft === undefined ? {} : { timeLeft: this.#options.timeLeft }),
      turn: () => hook('turn', () => Promise.resolve(void this.calls.push('turn'))) as Promise<void>,
    };
    // As the job record names it: nothing is read anew.
    const program = { job: jobA, plan, planHash, planKey: 'plan', registry, settings: { ...settings, ...this.#options.settings } };
    return new OperatorFunction({ deps, program }, operatorUid(this.uid));
  }

  /** Everything in memory is lost. */
  restart(hook?: Hook): void {
    this.environment = this.newEnvironment(hook);
  }

  /** Ids of what failed, as indexes into the batch. */
  async handle(...messages: readonly Message[]): Promise<number[]> {
    this.calls = [];
    const failed = await this.environment.handle(messages);
    return messages.flatMap(({ messageId }, i) => (failed.includes(messageId) ? [i] : []));
  }

  message(body: Uint8Array, attempt = 1): Message {
    messageNumber++;
    const id = String(messageNumber);
    return { messageId: id, receipt: id, group: shardGroup(this.shard, attempt), body, receiveCount: 1, sentAtMs: 0 };
  }

  control(kind: ControlKind, number: number, more: { readonly attempt?: number; readonly order?: BarrierOrder } = {}): Message {
    const { attempt = 1, ...rest } = more;
    const control: ControlMessage = { kind, job: jobA, attempt, number, ...rest };
    return this.message(encodeControl(control), attempt);
  }

  kick(attempt = 1): Message {
    return this.control('kick', 1, { attempt });
  }

  order(checkpoint: number, stop?: 'drain' | 'suspend'): Message {
    return this.control('order', checkpoint, { order: stop === undefined ? { checkpoint } : { checkpoint, stop } });
  }

  arrived(split: string, number: number, attempt = 1): Message {
    return this.message(encodeControl({ kind: 'arrived', job: jobA, attempt, number, split }), attempt);
  }

  upstream(channel: ChannelId, attempt = 1): Upstream {
    return new Upstream(this, channel, attempt);
  }

  async record(): Promise<ShardRecord> {
    const record = await this.stores.shards.read({ job: jobA, uid: operatorUid(this.uid), shard: this.shard });
    if (record === undefined) throw new Error('the shard has no record yet');
    return record;
  }

  async changeJob(changes: Partial<JobRecord>): Promise<void> {
    const job = (await this.stores.jobs.read(jobA))!;
    await this.stores.jobs.replace({ ...job, ...changes, version: job.version + 1 }, job.version);
  }

  /** What has been sent to a vertex's queue since the last look. */
  async sentTo(uid: string): Promise<Envelope[]> {
    const bodies = await this.#drain(operatorQueue(jobA, operatorUid(uid)));
    return bodies.filter((body) => readMessage(body).kind === 'data').map(decodeEnvelope);
  }

  /** What the shard has sent to itself at once since the last look. */
  async sentToSelf(): Promise<ControlMessage[]> {
    const bodies = await this.#drain(operatorQueue(jobA, operatorUid(this.uid)));
    return bodies.map(readMessage).flatMap((message) => (message.kind === 'control' ? [message.control] : []));
  }

  /** The one message that the shard has sent to itself, as it comes back; a sleeping one after `waitMs`. */
  async nextToItself(waitMs = 0): Promise<Message> {
    await this.time.advance(waitMs);
    const [control, ...others] = await this.sentToSelf();
    if (control === undefined || others.length > 0)
      throw new Error(`${others.length + (control === undefined ? 0 : 1)} messages to itself`);
    return this.control(control.kind, control.number);
  }

  async toCoordinator(): Promise<CoordinatorMessage[]> {
    return (await this.#drain(coordinatorQueue(jobA))).map(decodeCoordinatorMessage);
  }

  async #drain(queue: string): Promise<Uint8Array[]> {
    const bodies: Uint8Array[] = [];
    for (;;) {
      const messages = await this.stores.queue.receive(queue, { messagesMax: 10, waitMs: 0, visibilityMs: 1_000 });
      if (messages.length === 0) return bodies;
      bodies.push(...messages.map(({ body }) => body));
      await this.stores.queue.deleteBatch(queue, messages.map(({ receipt }) => receipt)); // prettier-ignore
    }
  }
}

/** A message once more: as it comes after its visibility ran out, or, with `receiveCount` 1, as an earlier receive that a zombie holds. */
export function again(message: Message, receiveCount = 2): Message {
  return { ...message, receiveCount };
}

/** One channel into the shard, played by the test. Its envelopes also stand in segments, as a real sender's do. */
export class Upstream {
  readonly #bench: ShardBench;
  readonly #channel: ChannelId;
  readonly #attempt: number;
  #sequence = 0;
  epoch = 1;

  constructor(bench: ShardBench, channel: ChannelId, attempt: number) {
    this.#bench = bench;
    this.#channel = channel;
    this.#attempt = attempt;
  }

  /** The next envelope: records as `[value, timestamp]` or as values alone, then events. */
  async send(records: readonly unknown[], ...events: readonly StreamEvent[]): Promise<Message> {
    this.#sequence++;
    const segment = `jobs/${jobA}/test/${this.#channel}/${this.#attempt}-${this.#sequence}`;
    const pairs = records.map((record) => (Array.isArray(record) ? (record as [unknown, number]) : ([record, NO_TIMESTAMP] as const)));
    const header = {
      job: jobA,
      attempt: this.#attempt,
      channel: this.#channel,
      sequence: this.#sequence,
      epoch: this.epoch,
      segment,
      index: 0,
      records: pairs.length,
      events: events.map((event) => ({ at: pairs.length, event })),
    };
    const values = pairs.map(([value]) => value);
    const packed = pairs.length === 0 ? { payload: new Uint8Array(0), compressed: false } : packRecords(values, pairs.map(([, at]) => at), { compressAbove: Infinity }); // prettier-ignore
    const body = encodeEnvelope(header, packed);
    const envelope = { queue: 'q', group: 'g', deduplicationId: 'd', body };
    const content = { envelopes: [envelope], state: null, sinks: new Map(), stage: [], self: [], coordinator: [], lingering: [] };
    await this.#bench.stores.objects.createIfAbsent(segment, encodeSegment(content));
    return this.#bench.message(body, this.#attempt);
  }

  barrier(checkpoint: number, records: readonly unknown[] = [], mode: CheckpointMode = 'exactly-once'): Promise<Message> {
    this.epoch = checkpoint + 1;
    return this.send(records, { kind: 'barrier', checkpoint, mode });
  }

  watermark(timestamp: number, records: readonly unknown[] = []): Promise<Message> {
    return this.send(records, { kind: 'watermark', timestamp });
  }

  end(): Promise<Message> {
    return this.send([], { kind: 'watermark', timestamp: Number.MAX_SAFE_INTEGER }, { kind: 'end-of-input' });
  }

  /** A message that is lost on the way. */
  skip(): void {
    this.#sequence++;
  }
}
