/** Two streams that meet in one operator. */
import type { StateDescriptors } from '../state/descriptors.ts';
import { coFlatMapSpec, coMapSpec } from '../operators/co-map.ts';
import type {
  BroadcastProcessFunction,
  CoProcessFunction,
  KeyedBroadcastProcessFunction,
  KeyedCoProcessFunction,
} from '../operators/co-process-function.ts';
import type { FlatMapFunction } from '../operators/flat-map.ts';
import type { MapFunction } from '../operators/map.ts';
import type { KeySelector } from '../operators/operator.ts';
import type { OperatorSpec } from '../operators/operator-spec.ts';
import type { OperatorStateDescriptors } from '../operators/operator-state.ts';
import { processSpec } from '../operators/process.ts';
import type { DataStream } from './data-stream.ts';
import type { NoOperatorState, NoState } from './no-state.ts';
import { type InputDraft, partitioned } from './node-draft.ts';
import type { Pipeline } from './pipeline.ts';

type AnyMap = MapFunction<unknown, unknown>;
type AnyFlatMap = FlatMapFunction<unknown, unknown>;

export class ConnectedStreams<In1, In2> {
  readonly #pipeline: Pipeline;
  readonly #inputs: readonly [InputDraft, InputDraft];

  constructor(pipeline: Pipeline, first: InputDraft, second: InputDraft) {
    this.#pipeline = pipeline;
    this.#inputs = [first, second];
  }

  map<Out1, Out2 = Out1>(map1: MapFunction<In1, Out1>, map2: MapFunction<In2, Out2>): DataStream<Out1 | Out2> {
    return this.#transform(coMapSpec(map1 as AnyMap, map2 as AnyMap));
  }

  flatMap<Out1, Out2 = Out1>(flatMap1: FlatMapFunction<In1, Out1>, flatMap2: FlatMapFunction<In2, Out2>): DataStream<Out1 | Out2> {
    return this.#transform(coFlatMapSpec(flatMap1 as AnyFlatMap, flatMap2 as AnyFlatMap));
  }

  process<Out = unknown, O extends OperatorStateDescriptors = NoOperatorState>(user: CoProcessFunction<In1, In2, Out, O>): DataStream<Out> {
    return this.#transform(processSpec('co-process', user));
  }

  /** Both streams by a key of the same type: records of one key meet in one subtask. */
  keyBy<K>(selector1: (value: In1) => K, selector2: (value: In2) => K): ConnectedKeyedStreams<In1, In2, K> {
    const [first, second] = this.#inputs;
    return new ConnectedKeyedStreams(
      this.#pipeline,
      partitioned(first, 'hash', selector1 as KeySelector),
      partitioned(second, 'hash', selector2 as KeySelector),
    );
  }

  #transform<Out>(spec: OperatorSpec): DataStream<Out> {
    return this.#pipeline.stream({ ...spec, role: 'operator', inputs: this.#inputs });
  }
}

export class ConnectedKeyedStreams<In1, In2, K> {
  readonly #pipeline: Pipeline;
  readonly #inputs: readonly [InputDraft, InputDraft];

  constructor(pipeline: Pipeline, first: InputDraft, second: InputDraft) {
    this.#pipeline = pipeline;
    this.#inputs = [first, second];
  }

  process<Out = unknown, S extends StateDescriptors = NoState, O extends OperatorStateDescriptors = NoOperatorState>(
    user: KeyedCoProcessFunction<K, In1, In2, Out, S, O>,
  ): DataStream<Out> {
    return this.#pipeline.stream({ ...processSpec('keyed-co-process', user), role: 'operator', inputs: this.#inputs });
  }
}

export class BroadcastConnectedStream<In, B, BK, BV> {
  readonly #pipeline: Pipeline;
  readonly #inputs: readonly [InputDraft, InputDraft];
  readonly #stateName: string;

  constructor(pipeline: Pipeline, input: InputDraft, broadcast: InputDraft, stateName: string) {
    this.#pipeline = pipeline;
    this.#inputs = [input, broadcast];
    this.#stateName = stateName;
  }

  process<Out = unknown, O extends OperatorStateDescriptors = NoOperatorState>(
    user: BroadcastProcessFunction<In, B, BK, BV, Out, O>,
  ): DataStream<Out> {
    return this.#pipeline.stream({ ...processSpec('broadcast-process', user, this.#stateName), role: 'operator', inputs: this.#inputs });
  }
}

export class KeyedBroadcastConnectedStream<K, In, B, BK, BV> {
  readonly #pipeline: Pipeline;
  readonly #inputs: readonly [InputDraft, InputDraft];
  readonly #stateName: string;

  constructor(pipeline: Pipeline, input: InputDraft, broadcast: InputDraft, stateName: string) {
    this.#pipeline = pipeline;
    this.#inputs = [input, broadcast];
    this.#stateName = stateName;
  }

  process<Out = unknown, S extends StateDescriptors = NoState, O extends OperatorStateDescriptors = NoOperatorState>(
    user: KeyedBroadcastProcessFunction<K, In, B, BK, BV, Out, S, O>,
  ): DataStream<Out> {
    return this.#pipeline.stream({
      ...processSpec('keyed-broadcast-process', user, this.#stateName),
      role: 'operator',
      inputs: this.#inputs,
    });
  }
}
