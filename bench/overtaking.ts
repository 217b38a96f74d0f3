/**
 * What an unaligned checkpoint costs where the queue is long, and where an operator is slow: from the write that numbers it to the write that completes it.
 *
 * In flight is what is in flight: the newest manifest is read, and the records of the envelopes that it lists are counted.
 */
import { createLocalConnectors } from '../lib/adapters/connectors/local-connectors.ts';
import { createMemoryStores, type LocalStores } from '../lib/adapters/memory/memory-stores.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { systemRandom } from '../lib/adapters/system/random.ts';
import { systemTimers } from '../lib/adapters/system/timers.ts';
import type { JobId } from '../lib/base/ids.ts';
import { defaultCheckpointSettings } from '../lib/checkpoint/checkpoint-settings.ts';
import { inFlightChannels } from '../lib/checkpoint/in-flight.ts';
import { decodeManifest } from '../lib/checkpoint/manifest-codec.ts';
import { startJob } from '../lib/coordinator/start-job.ts';
import { compileJob, defineJob, discardingSink, memoryText, type, valueState, type CompiledJob } from '../lib/index.ts';
import { inProcessSettings } from '../lib/local/in-process-settings.ts';
import { LocalEngine, newJobId } from '../lib/local/local-engine.ts';
import { readMessage } from '../lib/model/envelope-codec.ts';
import type { JobRecord } from '../lib/model/job-record.ts';
import { operatorQueue } from '../lib/model/queue-names.ts';
import { readSegmentEnvelopes, segmentNames } from '../lib/model/segment-envelopes.ts';
import type { RuntimeSettings } from '../lib/runtime/runtime-deps.ts';
import { createGatedSource, type GatedSource } from './gated-source.ts';

interface OvertakingOptions {
  readonly unaligned: boolean;
  readonly intervalMs: number;
  readonly checkpoints: number;
  /** Before the first of them that counts: what the compiler and the lists need to settle. */
  readonly warmUp: number;
  /** Records that wait between source and operator before the first checkpoint that counts. */
  readonly queued: number;
  /** The input's pace from then on; 'as-taken' = as many as the operator takes, so that as many are queued from the first to the last. */
  readonly recordsPerS: number | 'as-taken';
  readonly keys?: number;
  /** What the operator spends on a record. */
  readonly busyUs: number;
  /** Its function takes one message in so many milliseconds, whatever it spends. */
  readonly messageEveryMs?: number;
  readonly settings?: Partial<RuntimeSettings>;
}

interface OvertakingFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** At the newest checkpoint. */
  readonly inFlight: InFlightFigures;
  /** Of the largest record of a shard. */
  readonly shardRecordBytes: number;
  readonly jobRecordBytes: number;
}

interface InFlightFigures {
  readonly records: number;
  readonly envelopes: number;
  readonly epochs: number;
  readonly manifestBytes: number;
}

interface QueuedFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p50MsOfEmpty: number;
  readonly p99MsOfEmpty: number;
  /** Of the p99s. */
  readonly ratio: number;
  readonly inFlight: InFlightFigures;
  readonly shardRecordBytes: number;
  readonly jobRecordBytes: number;
}

const runs = 3;

/** Of checkpoints with so many records queued, beside those with none: the operator takes 1,000 records every 20 ms, in both. */
export async function measureQueued(queued: number): Promise<QueuedFigures> {
  const settings = { sourceRecordsPerCommit: 1_000, sourceIdleMs: 5, backlogMessagesPerShard: Number.POSITIVE_INFINITY };
  const common = { unaligned: true, intervalMs: 100, checkpoints: 100, warmUp: 20, busyUs: 0, messageEveryMs: 20, settings } as const;
  const some = await inTurns([0, queued].map((count) => ({ ...common, queued: count, recordsPerS: 'as-taken' as const })));
  const [empty, full] = some.map(medianOf);
  for (const { inFlight } of some[1]!) {
    if (Math.abs(inFlight.records - queued) > queued / 20) throw new Error(`${inFlight.records} records were in flight, not ${queued}`);
  }
  const { inFlight, shardRecordBytes, jobRecordBytes } = some[1]!.at(-1)!;
  const of = { p50Ms: full!.p50Ms, p99Ms: full!.p99Ms, p50MsOfEmpty: empty!.p50Ms, p99MsOfEmpty: empty!.p99Ms };
  return { ...of, ratio: round(full!.p99Ms / empty!.p99Ms), inFlight, shardRecordBytes, jobRecordBytes };
}

interface SlowFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p50MsWithout: number;
  readonly p99MsWithout: number;
  /** Of the p50s. */
  readonly ratio: number;
  readonly ratioOfP99: number;
  readonly alignedMs: number;
  readonly inFlight: InFlightFigures;
}

/** An operator that needs 20 µs for a record, and an input of 500,000 records/s, beside the same with one of 25,000, which it can take. */
export async function measureSlow(): Promise<SlowFigures> {
  // So few keys that all of them change between two checkpoints, in both: what a checkpoint writes is the same.
  const common = { unaligned: true, intervalMs: 100, checkpoints: 50, warmUp: 10, busyUs: 20, queued: 0, keys: 1_000 } as const;
  const some = await inTurns([25_000, 500_000].map((recordsPerS) => ({ ...common, recordsPerS })));
  const [free, slow] = some.map(medianOf);
  for (const { inFlight } of some[1]!) if (inFlight.records < 100_000) throw new Error(`only ${inFlight.records} records were in flight`);
  // It takes seconds: each waits for the whole backlog.
  const aligned = await measureOvertaking({ ...common, unaligned: false, recordsPerS: 500_000, checkpoints: 1, warmUp: 1 });
  return {
    ...{ p50Ms: slow!.p50Ms, p99Ms: slow!.p99Ms, p50MsWithout: free!.p50Ms, p99MsWithout: free!.p99Ms },
    ratio: round(slow!.p50Ms / free!.p50Ms),
    ratioOfP99: round(slow!.p99Ms / free!.p99Ms),
    alignedMs: round(aligned.p50Ms),
    inFlight: some[1]!.at(-1)!.inFlight,
  };
}

/** One after the other and again, so that what the machine does meanwhile is all of theirs. The first round warms the compiler. */
async function inTurns(options: readonly OvertakingOptions[]): Promise<OvertakingFigures[][]> {
  const all: OvertakingFigures[][] = options.map(() => []);
  for (const one of options) await measureOvertaking({ ...one, checkpoints: 20 });
  for (let run = 0; run < runs; run++) for (const [i, one] of options.entries()) all[i]!.push(await measureOvertaking(one));
  return all;
}

function medianOf(some: readonly OvertakingFigures[]): { readonly p50Ms: number; readonly p99Ms: number } {
  const middle = (of: (one: OvertakingFigures) => number): number => round(some.map(of).sort((a, b) => a - b)[some.length >> 1]!);
  return { p50Ms: middle(({ p50Ms }) => p50Ms), p99Ms: middle(({ p99Ms }) => p99Ms) };
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}

const system = { clock: systemClock, timers: systemTimers, random: systemRandom };
const silent = { log: () => undefined };

async function measureOvertaking(options: OvertakingOptions): Promise<OvertakingFigures> {
  const { checkpoints, warmUp, queued } = options;
  const source = createGatedSource((record) => record % (options.keys ?? 10_000));
  const opened = createMemoryStores(system);
  const timings = new CheckpointTimes();
  const held = new HeldQueue(options.messageEveryMs ?? 0);
  const stores = watch(opened, timings, held);
  const { engine, job } = await start(source, stores, options);
  held.queue = operatorQueue(job, 'sums' as never);
  source.gate = queued;
  held.open = queued === 0;
  while (!held.open) {
    await pause(5);
    held.open = (await sent(stores, job)) >= queued;
  }
  const flow = new Flow(source, options.recordsPerS);
  held.onTaken = () => options.recordsPerS === 'as-taken' && (source.gate += options.settings?.sourceRecordsPerCommit ?? 1);
  if (options.recordsPerS === 'as-taken') held.onTaken();
  timings.startAfter(warmUp);
  while (timings.took.length < checkpoints) await pause(20);
  const took = timings.took.slice(0, checkpoints).sort((a, b) => a - b);
  const record = (await stores.jobs.read(job))!;
  const figures = { inFlight: await inFlightOf(stores, record), ...(await sizesOf(stores, record)) };
  flow.stop();
  held.close();
  await engine.close();
  return { p50Ms: took[took.length >> 1]!, p99Ms: took[Math.ceil(took.length * 0.99) - 1]!, ...figures };
}

async function start(source: GatedSource, stores: LocalStores, options: OvertakingOptions): Promise<{ engine: LocalEngine; job: JobId }> {
  const local = createLocalConnectors();
  const connectors = { ...local, sources: { ...local.sources, 'memory-text': source } };
  const savepoints = { at: () => unused(), inside: () => unused() };
  const metrics = { count: () => undefined, gauge: () => undefined };
  const engine = new LocalEngine({ ...system, stores, connectors, savepoints, logger: silent, metrics });
  await engine.resumeFlows();
  const job = newJobId(systemRandom);
  const { plan, planHash, registry } = slowSums(options.busyUs);
  const settings = { ...defaultCheckpointSettings, intervalMs: options.intervalMs, unaligned: options.unaligned };
  await startJob(engine.coordinator, { job, name: plan.name, plan, planHash, settings });
  engine.run({ job, plan, planHash, registry, settings: { ...inProcessSettings, ...options.settings } });
  return { engine, job };
}

function slowSums(busyUs: number): CompiledJob {
  const job = defineJob({
    name: 'overtaking',
    parameters: {},
    build(env) {
      env
        .fromSource(memoryText<{ readonly key: number; readonly delay: number }>('gated'))
        .uid('records')
        .keyBy(({ key }) => key)
        .process({
          emits: type<number>(),
          state: { sum: valueState<number>() },
          process({ delay }, { state, emit }) {
            const until = busyUs === 0 ? 0 : performance.now() + busyUs / 1_000;
            const sum = (state.sum.value() ?? 0) + delay;
            state.sum.update(sum);
            emit(sum);
            while (performance.now() < until);
          },
        })
        .uid('sums')
        .sinkTo(discardingSink())
        .uid('nowhere');
    },
  });
  return compileJob(job);
}

/** Opens the gate as time goes by. */
class Flow {
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(source: GatedSource, recordsPerS: number | 'as-taken') {
    if (recordsPerS === 'as-taken') return;
    const [begunAt, before] = [performance.now(), source.gate];
    const move = (): void => void (source.gate = before + Math.floor(((performance.now() - begunAt) / 1_000) * recordsPerS));
    this.#timer = setInterval(move, 5);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** When checkpoints were numbered, and what they took. */
class CheckpointTimes {
  readonly #triggered = new Map<number, number>();
  #skip = Number.POSITIVE_INFINITY;
  readonly took: number[] = [];

  startAfter(count: number): void {
    this.#skip = count;
  }

  stored({ pending, completed }: JobRecord): void {
    const now = performance.now();
    for (const { id } of pending) if (!this.#triggered.has(id)) this.#triggered.set(id, now);
    const triggeredAt = this.#triggered.get(completed);
    if (triggeredAt === undefined || !this.#triggered.delete(completed)) return;
    if (this.#skip === 0) this.took.push(now - triggeredAt);
    else this.#skip--;
  }
}

/** Holds the operator's messages back: all of them until it is opened, then all but one in so many milliseconds. */
class HeldQueue {
  queue = '';
  open = false;
  /** Told of each message with records. */
  onTaken: () => unknown = () => undefined;
  #isClosed = false;
  #nextAt = 0;
  readonly #everyMs: number;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  close(): void {
    this.#isClosed = true;
  }

  get messagesMax(): number {
    return this.#everyMs === 0 ? 10 : 1;
  }

  async turn(): Promise<void> {
    this.#nextAt = Math.max(this.#nextAt + this.#everyMs, performance.now());
    while (!this.#isClosed && (!this.open || performance.now() < this.#nextAt)) await pause(1);
  }
}

function watch(stores: LocalStores, timings: CheckpointTimes, held: HeldQueue): LocalStores {
  const { jobs, queue } = stores;
  return {
    ...stores,
    jobs: {
      read: (job) => jobs.read(job),
      list: () => jobs.list(),
      create: (record) => jobs.create(record),
      async replace(record, expectedVersion) {
        const outcome = await jobs.replace(record, expectedVersion);
        if (outcome === 'stored') timings.stored(record);
        return outcome;
      },
    },
    queue: {
      sendBatch: (...given) => queue.sendBatch(...given),
      depth: (name) => queue.depth(name),
      deleteBatch: (...given) => queue.deleteBatch(...given),
      changeVisibility: (...given) => queue.changeVisibility(...given),
      async receive(name, options) {
        if (name !== held.queue) return queue.receive(name, options);
        await held.turn();
        const messages = await queue.receive(name, { ...options, messagesMax: held.messagesMax });
        for (const { body } of messages) if (hasRecords(body)) held.onTaken();
        return messages;
      },
    },
  };
}

function hasRecords(body: Uint8Array): boolean {
  const message = readMessage(body);
  return message.kind === 'data' && message.header.records > 0;
}

async function sent(stores: LocalStores, job: JobId): Promise<number> {
  return (await stores.shards.read({ job, uid: 'records' as never, shard: 0 }))?.recordsOut ?? 0;
}

/** Out of the manifest and the segments that it lists. */
async function inFlightOf({ objects }: LocalStores, { retained }: JobRecord): Promise<InFlightFigures> {
  const bytes = (await objects.read(retained.at(-1)!.manifest))!;
  const manifest = decodeManifest(bytes, 'manifest');
  const channels = new Map<string, { readonly after: number; readonly upTo: number }>(
    inFlightChannels(manifest).map((one) => [one.channel, one]),
  );
  let [records, envelopes, epochs] = [0, 0, 0];
  for (const list of manifest.shards.flatMap(({ inFlight = [] }) => inFlight)) {
    epochs++;
    for (const name of await segmentNames(list, async (key) => (await objects.read(key))!)) {
      for (const body of readSegmentEnvelopes((await objects.read(name))!, name)) {
        const message = readMessage(body);
        const range = message.kind === 'data' ? channels.get(message.header.channel) : undefined;
        if (message.kind !== 'data' || range === undefined) continue;
        if (message.header.sequence <= range.after || message.header.sequence > range.upTo) continue;
        envelopes++;
        records += message.header.records;
      }
    }
  }
  const promised = [...channels.values()].reduce((sum, { after, upTo }) => sum + upTo - after, 0);
  if (envelopes !== promised) throw new Error(`of ${promised} envelopes in flight the manifest lists ${envelopes}`);
  return { records, envelopes, epochs, manifestBytes: bytes.length };
}

async function sizesOf(
  { shards }: LocalStores,
  record: JobRecord,
): Promise<Pick<OvertakingFigures, 'shardRecordBytes' | 'jobRecordBytes'>> {
  const all = await Promise.all(['records', 'sums'].map((uid) => shards.read({ job: record.job, uid: uid as never, shard: 0 })));
  return { shardRecordBytes: Math.max(...all.map((one) => JSON.stringify(one).length)), jobRecordBytes: JSON.stringify(record).length };
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

function unused(): never {
  throw new Error('the bench takes no savepoints');
}
