import type { AggregateFunction, StateDescriptors } from '../state/descriptors.ts';
import { aggregateSpec, type ReduceFunction, reduceSpec } from '../operators/keyed-reduce.ts';
import type { OperatorSpec } from '../operators/operator-spec.ts';
import type { OperatorStateDescriptors } from '../operators/operator-state.ts';
import { processSpec } from '../operators/process.ts';
import type { KeyedProcessFunction } from '../operators/process-function.ts';
import type { WindowAssigner } from '../operators/window-assigner.ts';
import { BroadcastStream } from './broadcast-stream.ts';
import { ConnectedKeyedStreams, KeyedBroadcastConnectedStream } from './connected-streams.ts';
import type { DataStream } from './data-stream.ts';
import type { NoOperatorState, NoState } from './no-state.ts';
import type { InputDraft } from './node-draft.ts';
import type { Pipeline } from './pipeline.ts';
import { WindowedStream } from './windowed-stream.ts';

/** A stream whose records meet the state of their key. */
export class KeyedStream<T, K> {
  readonly #pipeline: Pipeline;
  readonly #input: InputDraft;

  constructor(pipeline: Pipeline, input: InputDraft) {
    this.#pipeline = pipeline;
    this.#input = input;
  }

  /** State, timers and side outputs by key: the function that every other one could be written with. */
  process<Out = unknown, S extends StateDescriptors = NoState, O extends OperatorStateDescriptors = NoOperatorState>(
    user: KeyedProcessFunction<K, T, Out, S, O>,
  ): DataStream<Out> {
    return this.#transform(processSpec('keyed-process', user));
  }

  /** Emits the result so far with every record. Return a new value: what was emitted before must not change. */
  reduce(reduce: ReduceFunction<T>): DataStream<T> {
    return this.#transform(reduceSpec(reduce as ReduceFunction<unknown>));
  }

  /** Emits the result so far with every record. `getResult` returns a new value: what was emitted before must not change. */
  aggregate<Acc, Out>(aggregate: AggregateFunction<T, Acc, Out>): DataStream<Out> {
    return this.#transform(aggregateSpec(aggregate as AggregateFunction<unknown, unknown, unknown>));
  }

  window(assigner: WindowAssigner): WindowedStream<T, K> {
    return new WindowedStream(this.#pipeline, this.#input, { assigner, allowedLatenessMs: 0, lateTag: undefined });
  }

  connect<B, BK, BV>(other: BroadcastStream<B, BK, BV>): KeyedBroadcastConnectedStream<K, T, B, BK, BV>;
  connect<Other>(other: KeyedStream<Other, K>): ConnectedKeyedStreams<T, Other, K>;
  connect(other: BroadcastStream<unknown, unknown, unknown> | KeyedStream<unknown, K>): unknown {
    if (other instanceof BroadcastStream)
      return new KeyedBroadcastConnectedStream(this.#pipeline, this.#input, other.input, other.stateName);
    return new ConnectedKeyedStreams(this.#pipeline, this.#input, other.#input);
  }

  #transform<Out>(spec: OperatorSpec): DataStream<Out> {
    return this.#pipeline.stream({ ...spec, role: 'operator', inputs: [this.#input] });
  }
}
