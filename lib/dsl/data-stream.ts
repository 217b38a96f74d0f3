import type { ErrorPolicy } from '../model/dead-letter.ts';
import type { BroadcastStateDescriptor } from '../operators/broadcast-state.ts';
import type { KeySelector } from '../operators/operator.ts';
import { type FilterFunction, filterSpec } from '../operators/filter.ts';
import { type FlatMapFunction, flatMapSpec } from '../operators/flat-map.ts';
import { type MapFunction, mapSpec } from '../operators/map.ts';
import type { OperatorSpec } from '../operators/operator-spec.ts';
import type { OperatorStateDescriptors } from '../operators/operator-state.ts';
import type { OutputTag } from '../operators/output-tag.ts';
import { processSpec } from '../operators/process.ts';
import type { ProcessFunction } from '../operators/process-function.ts';
import type { Sink } from '../connectors/sink.ts';
import { BroadcastStream } from './broadcast-stream.ts';
import { BroadcastConnectedStream, ConnectedStreams } from './connected-streams.ts';
import { KeyedStream } from './keyed-stream.ts';
import type { NoOperatorState } from './no-state.ts';
import { OperatorSettings } from './operator-settings.ts';
import { type InputDraft, type NodeDraft, partitioned } from './node-draft.ts';
import type { Pipeline } from './pipeline.ts';
import { StreamSink } from './stream-sink.ts';

/** A stream of records. Methods that say something of an operator (`uid`, `name`, …) mean the one that makes the stream. */
export class DataStream<T> {
  readonly #pipeline: Pipeline;
  readonly #input: InputDraft;
  readonly #settings: OperatorSettings;

  /** `owner` is the operator whose main output this is; a united, rebalanced or side stream has none. */
  constructor(pipeline: Pipeline, input: InputDraft, owner: NodeDraft | undefined) {
    this.#pipeline = pipeline;
    this.#input = input;
    this.#settings = new OperatorSettings(pipeline, owner);
  }

  map<Out>(map: MapFunction<T, Out>): DataStream<Out> {
    return this.#transform(mapSpec(map as MapFunction<unknown, unknown>));
  }

  filter<Kept extends T>(keep: (value: T) => value is Kept): DataStream<Kept>;
  filter(keep: FilterFunction<T>): DataStream<T>;
  filter(keep: FilterFunction<T>): DataStream<T> {
    return this.#transform(filterSpec(keep as FilterFunction<unknown>));
  }

  flatMap<Out>(flatMap: FlatMapFunction<T, Out>): DataStream<Out> {
    return this.#transform(flatMapSpec(flatMap as FlatMapFunction<unknown, unknown>));
  }

  process<Out = unknown, O extends OperatorStateDescriptors = NoOperatorState>(user: ProcessFunction<T, Out, O>): DataStream<Out> {
    return this.#transform(processSpec('process', user));
  }

  /** Records of one key go to one subtask, in order. Keys are strings, finite numbers, booleans, null, or arrays and plain objects of these. */
  keyBy<K>(selector: (value: T) => K): KeyedStream<T, K> {
    return new KeyedStream(this.#pipeline, partitioned(this.#input, 'hash', selector as KeySelector));
  }

  union(...others: readonly DataStream<T>[]): DataStream<T> {
    const endpoints = [this, ...others].flatMap((stream: DataStream<T>) => stream.#input.endpoints);
    return new DataStream(this.#pipeline, { endpoints }, undefined);
  }

  /** Deals the records out to all subtasks of the next operator, in turn. */
  rebalance(): DataStream<T> {
    return new DataStream(this.#pipeline, partitioned(this.#input, 'rebalance'), undefined);
  }

  /** Every subtask of the other side gets all records, and keeps what it makes of them in the broadcast state. */
  broadcast<BK, BV>(descriptor: BroadcastStateDescriptor<BK, BV>): BroadcastStream<T, BK, BV> {
    return new BroadcastStream(partitioned(this.#input, 'broadcast'), descriptor.name);
  }

  connect<B, BK, BV>(other: BroadcastStream<B, BK, BV>): BroadcastConnectedStream<T, B, BK, BV>;
  connect<Other>(other: DataStream<Other>): ConnectedStreams<T, Other>;
  connect(other: BroadcastStream<unknown, unknown, unknown> | DataStream<unknown>): unknown {
    if (other instanceof BroadcastStream) return new BroadcastConnectedStream(this.#pipeline, this.#input, other.input, other.stateName);
    return new ConnectedStreams(this.#pipeline, this.#input, other.#input);
  }

  sinkTo(sink: Sink<T>): StreamSink {
    const { name, states, create, connector, target, keyOf } = sink;
    const node = this.#pipeline.add({
      kind: 'sink',
      role: 'sink',
      name,
      states,
      create,
      inputs: [keyOf === undefined ? this.#input : partitioned(this.#input, 'hash', keyOf)],
      ...(connector === undefined ? {} : { connector }),
      ...(target === undefined ? {} : { target }),
    });
    if (sink.problem !== undefined) this.#pipeline.report(node, 'connector-unusable', sink.problem.message, sink.problem.hint);
    return new StreamSink(this.#pipeline, node);
  }

  /** What the operator emitted to the tag. */
  getSideOutput<Side>(tag: OutputTag<Side>): DataStream<Side> {
    const owner = this.#settings.owner('getSideOutput');
    const input: InputDraft = owner === undefined ? this.#input : { endpoints: [{ node: owner, output: tag.id, partitioner: 'forward' }] };
    return new DataStream(this.#pipeline, input, undefined);
  }

  /** Names the operator's state for all versions of the job. Mandatory for whatever has state. */
  uid(uid: string): this {
    this.#settings.uid(uid);
    return this;
  }

  /** For people; default: the kind of the operator. */
  name(name: string): this {
    this.#settings.name(name);
    return this;
  }

  setParallelism(parallelism: number): this {
    this.#settings.setParallelism(parallelism);
    return this;
  }

  /** Fixes the number of key groups: state can then never be restored with another. */
  setMaxParallelism(maxParallelism: number): this {
    this.#settings.setMaxParallelism(maxParallelism);
    return this;
  }

  /**
   * Records that the operator sends to another function may wait so long, in milliseconds, until they fill a message. Fewer messages, later results.
   * Default: the environment's.
   */
  setBufferTimeout(timeoutMs: number): this {
    this.#settings.setBufferTimeout(timeoutMs);
    return this;
  }

  /** At how many bytes a message of the operator is full. Default: the environment's. */
  setBufferSize(bytes: number): this {
    this.#settings.setBufferSize(bytes);
    return this;
  }

  /**
   * What happens with a record, or timer, that the operator's code throws at. `fail` (default): its batch is tried again, by the restart strategy.
   * `dead-letter`: it is stored with the reason, nothing of it stays in state or output, and the job goes on; `sluice dead-letters` shows it. The operator
   * then begins a chain of its own.
   */
  onError(policy: ErrorPolicy): this {
    this.#settings.onError(policy);
    return this;
  }

  /** The operator runs in a function of its own, before this one and after. */
  disableChaining(): this {
    this.#settings.setChaining('never');
    return this;
  }

  /** The operator is not chained to what comes before it. */
  startNewChain(): this {
    this.#settings.setChaining('head');
    return this;
  }

  #transform<Out>(spec: OperatorSpec): DataStream<Out> {
    return this.#pipeline.stream<Out>({ ...spec, role: 'operator', inputs: [this.#input] });
  }
}
