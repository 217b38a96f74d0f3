/**
 * One shard in the memory of a warm function: the last committed record, and the working copies that the next commit is made of.
 *
 * LS1. Working copies are only ever ahead of the record by the commit in hand; a try that fails drops the whole object.
 * LS2. The record is valid as long as its version is the stored one: whoever uses a warm shard compares first.
 */
import type { ChannelId, CheckpointId, Epoch, OperatorUid } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import { isOvertaken } from '../checkpoint/in-flight.ts';
import type { ControlKind } from '../model/envelope.ts';
import type { ElementPlace } from '../model/dead-letter.ts';
import type { CoordinatorMessage } from '../model/coordinator-message.ts';
import type {
  Alignment,
  DeltaRef,
  EpochSegments,
  FiredRange,
  InFlightProgress,
  PushProgress,
  ShardRecord,
  ShardStatus,
  SinkPart,
  SplitState,
  StashedEnvelope,
  Suspects,
} from '../model/shard-record.ts';
import { vertexOf } from '../model/job-plan.ts';
import type { KeySelector } from '../operators/operator.ts';
import { KeyedBackend } from '../state/keyed-backend.ts';
import type { KeyedContext } from '../state/keyed-context.ts';
import { createHandle, createNamespaced } from '../state/state-handles.ts';
import type { Poison } from './poison.ts';
import { OperatorChain } from './operator-chain.ts';
import { OutputChannels } from './output-channels.ts';
import type { BaseStep } from './base-step.ts';
import type { Interlude } from './interlude.ts';
import type { InFlightSegment } from './replay-in-flight.ts';
import type { TableKeys } from '../model/row-table.ts';
import type { Runtime } from './runtime-deps.ts';
import type { SelfMessage, StageOrder } from './segment-content.ts';
import type { InputChannel, OutputEdge, ShardTopology } from './topology.ts';
import { WatermarkValve, type ValveChannel } from './watermark-valve.ts';

export interface LiveInput extends ValveChannel {
  readonly channel: InputChannel;
  sequence: number;
  barrier: CheckpointId;
}

/** Of a shard whose batch is worked off with care. */
export interface Care {
  /** In this invocation. */
  hasNoted: boolean;
  /** Records that are to be tried one by one. */
  alone: number;
  readonly triesAlone: number;
}

export class LiveShard {
  readonly topology: ShardTopology;
  readonly inputs: ReadonlyMap<ChannelId, LiveInput>;
  readonly valve: WatermarkValve;
  readonly outputs: OutputChannels;
  readonly backend: KeyedBackend | null;
  readonly chain: OperatorChain;
  readonly keySelectors: readonly (KeySelector | undefined)[];
  /** Channels that stay aligned whatever the mode. */
  readonly keyless: readonly ChannelId[];
  /** Where its rows are in the base; of the attempt, as the record is. */
  readonly space: string;
  record: ShardRecord;

  // Working copies of the record.
  control: Partial<Record<ControlKind, number>>;
  selfNumber: number;
  push: PushProgress | null;
  epoch: Epoch;
  settled: CheckpointId;
  status: ShardStatus;
  processingTimeMs: number;
  watermark: number;
  idle: boolean;
  fired: readonly FiredRange[];
  splits: Readonly<Record<string, SplitState>> | null;
  alignment: Alignment | null;
  stash: StashedEnvelope[];
  replaying: boolean;
  replay: InFlightProgress | null;
  segments: readonly EpochSegments[];
  deltas: readonly DeltaRef[];
  baseEpoch: Epoch;
  pendingParts: readonly SinkPart[];
  sinkRecords: Record<OperatorUid, number>;
  dirty: boolean;
  recordsIn: number;
  suspects: Suspects | null;

  // What the commit in hand does besides.
  changed = false;
  self: SelfMessage[] = [];
  coordinator: CoordinatorMessage[] = [];
  stage: StageOrder[] = [];
  /** A dead letter has been written: nothing more goes into this commit. */
  mustCommit = false;
  deadLetters = 0;
  /** Of the work in hand; see interlude.ts. */
  interlude: Interlude | null = null;
  /** The envelope before took long. */
  isSlow = false;
  readonly recordsPerLook: number;
  /** An interlude has found an order: no further record before it is taken. */
  orderDue = false;

  /** What is in hand, for error reports: an envelope or a read of a split; its `index` says nothing. */
  place: ElementPlace | null = null;
  /** Elements that are not to be processed. */
  poison: readonly Poison[] = [];
  /** See careful.ts; null: without. */
  care: Care | null = null;

  /** Warm only: losing them costs a second look, a second wake-up or a second write. */
  armedAtMs: number | null = null;
  flushArmedAtMs: number | null = null;
  restArmedAtMs: number | null = null;
  baseArmedAtRecords: number | null = null;
  baseStep: BaseStep | null = null;
  /** Keys of the deltas that this process wrote. */
  readonly deltaKeys = new Map<string, readonly TableKeys[]>();
  baseWakeMs = 500;
  backlogCheckedAt = Number.NEGATIVE_INFINITY;
  backedUp = false;
  watermarkToldAt: number | null = null;
  /** What `replay` counts through. */
  inFlight: readonly InFlightSegment[] | null = null;

  constructor(runtime: Runtime, topology: ShardTopology, space: string, record: ShardRecord) {
    const { program } = runtime;
    this.topology = topology;
    this.space = space;
    this.record = record;
    this.recordsPerLook = program.settings.recordsPerLook;
    this.control = { ...record.control };
    this.selfNumber = record.selfNumber;
    this.push = record.push ?? null;
    this.epoch = record.epoch;
    this.settled = record.settled;
    this.status = record.status;
    this.processingTimeMs = record.processingTimeMs;
    this.watermark = record.watermark;
    this.fired = record.fired;
    this.splits = record.splits;
    this.alignment = record.alignment;
    this.stash = [...record.stash.envelopes];
    this.replaying = record.stash.replaying;
    this.replay = record.replay ?? null;
    this.segments = record.segments;
    this.deltas = record.deltas;
    this.baseEpoch = record.baseEpoch;
    this.pendingParts = record.pendingParts;
    this.sinkRecords = { ...record.sinkRecords };
    this.dirty = record.dirty;
    this.recordsIn = record.recordsIn;
    this.suspects = record.suspects ?? null;

    this.keyless = topology.inputs.filter((input) => !isOvertaken(input)).map(({ id }) => id);
    this.inputs = new Map(topology.inputs.map((channel) => [channel.id, liveInput(channel, record)]));
    this.valve = new WatermarkValve(this.inputs, record.watermark);
    // A source learns it when it reads.
    this.idle = this.valve.read().idle;
    this.outputs = new OutputChannels(
      topology.outputs,
      {
        keySelectorOf: (edge) => senderKeySelector(runtime, edge),
        compress: program.settings.compressEnvelopes,
        arePlain: (edge) => comesFromReader(runtime, topology, edge),
        setsAside: ({ edge }) => vertexOf(program.plan, edge.to).operators[0]!.onError === 'dead-letter',
      },
      record,
    );
    this.keySelectors = program.registry.get(topology.address.uid)?.keySelectors ?? [];
    this.backend = this.keySelectors.some((selector) => selector !== undefined) ? this.#newBackend(runtime) : null;
    const keyed = this.backend === null ? undefined : keyedContext(this.backend);
    this.chain = new OperatorChain({ topology, registry: program.registry, outputs: this.outputs, states: record.operatorStates, keyed });
    this.chain.setWatermark(record.watermark);
  }

  #newBackend(runtime: Runtime): KeyedBackend {
    const { topology, record } = this;
    const backend = new KeyedBackend({
      operator: topology.address.uid,
      keyGroups: topology.keyGroups,
      maxParallelism: topology.vertex.maxParallelism,
      base: runtime.deps.base,
      space: this.space,
      baseHasRows: record.baseEpoch >= 0,
      fired: record.fired,
    });
    backend.watermark = record.watermark;
    backend.processingTimeMs = record.processingTimeMs;
    backend.changes.epoch = record.epoch;
    backend.baseEpoch = record.baseEpoch;
    return backend;
  }

  /** Work that the record shows as unfinished: it may be committed without a fresh message, and keeps the batch unacknowledged. */
  hasUnfinishedWork(): boolean {
    return this.replaying || this.replay !== null || this.dueTimers() !== null;
  }

  nextTimers(): ShardRecord['nextTimer'] {
    if (this.backend === null) return { event: null, processing: null };
    const { timers } = this.backend;
    const { nextTimer } = this.record;
    return { event: timers.next('event', nextTimer.event), processing: timers.next('processing', nextTimer.processing) };
  }

  /** What is due is judged by the watermark and the processing time in the record, never by the clock alone. Behind the end of input nothing fires. */
  dueTimers(): 'event' | 'processing' | null {
    if (this.backend === null || this.status !== 'running') return null;
    const { event, processing } = this.nextTimers();
    if (event !== null && event <= this.watermark) return 'event';
    return processing !== null && processing <= this.processingTimeMs ? 'processing' : null;
  }

  input(id: ChannelId): LiveInput {
    const input = this.inputs.get(id);
    invariant(input !== undefined, 'LS1', `channel ${id} does not lead to this shard`, { channel: id, address: this.topology.address });
    return input;
  }
}

function liveInput(channel: InputChannel, record: ShardRecord): LiveInput {
  const stored = record.inputs[channel.id];
  invariant(stored !== undefined, 'LS1', `the record lacks channel ${channel.id}`, { channel: channel.id });
  return { channel, ...stored };
}

/** The sender of a hash edge asks the receiving operator's key selector. */
function senderKeySelector(runtime: Runtime, { edge }: OutputEdge): KeySelector | undefined {
  return runtime.program.registry.get(edge.to)?.keySelectors?.[edge.input];
}

/** Straight from a reader of plain values: no user code has made them. */
function comesFromReader(runtime: Runtime, { isSource, vertex }: ShardTopology, { edge }: OutputEdge): boolean {
  const { uid, connector } = vertex.operators[0]!;
  if (!isSource || edge.operator !== uid || connector === undefined) return false;
  const isDecoded = runtime.program.registry.get(uid)?.source?.decode !== undefined;
  return !isDecoded && runtime.deps.connectors.sources[connector.connector]?.isPlain === true;
}

function keyedContext(backend: KeyedBackend): KeyedContext {
  return {
    timers: backend.timers,
    currentKey: () => backend.current!.key,
    currentWatermark: () => backend.closedUpTo(),
    currentProcessingTime: () => backend.processingTimeMs,
    state: (name, descriptor) => createHandle(backend, name, descriptor),
    namespacedState: (name) => createNamespaced(backend, name),
  };
}
