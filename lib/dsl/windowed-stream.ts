import type { AggregateFunction } from '../state/descriptors.ts';
import type { WindowOptions } from '../operators/aligned-window-operator.ts';
import type { ReduceFunction } from '../operators/keyed-reduce.ts';
import type { OutputTag } from '../operators/output-tag.ts';
import { windowSpec } from '../operators/window.ts';
import { assignerFaults, type WindowAssigner } from '../operators/window-assigner.ts';
import { aggregateFold, listFold, reduceFold, type WindowFold } from '../operators/window-fold.ts';
import type { ProcessWindowFunction, WindowFunction } from '../operators/window-function.ts';
import type { DataStream } from './data-stream.ts';
import { durationText } from './durations.ts';
import type { InputDraft, NodeDraft } from './node-draft.ts';
import type { Pipeline } from './pipeline.ts';

type Settings = Omit<WindowOptions, 'fold'>;
type AnyAggregate = AggregateFunction<unknown, unknown, unknown>;
type AnyWindowFunction = WindowFunction<unknown, unknown, unknown>;

/** Records of a key, by windows of time. */
export class WindowedStream<T, K> {
  readonly #pipeline: Pipeline;
  readonly #input: InputDraft;
  readonly #settings: Settings;

  constructor(pipeline: Pipeline, input: InputDraft, settings: Settings) {
    this.#pipeline = pipeline;
    this.#input = input;
    this.#settings = settings;
  }

  /** Keeps windows so long after the watermark has passed their end; a record that comes then fires its window again. In milliseconds. */
  allowedLateness(allowedLatenessMs: number): WindowedStream<T, K> {
    return new WindowedStream(this.#pipeline, this.#input, { ...this.#settings, allowedLatenessMs });
  }

  /** Where records go that are too late for all their windows; without it they are dropped. */
  sideOutputLateData(tag: OutputTag<T>): WindowedStream<T, K> {
    return new WindowedStream(this.#pipeline, this.#input, { ...this.#settings, lateTag: tag.id });
  }

  reduce(reduce: ReduceFunction<T>): DataStream<T>;
  reduce<Out>(reduce: ReduceFunction<T>, windowFunction: WindowFunction<K, T, Out>): DataStream<Out>;
  reduce(reduce: ReduceFunction<T>, windowFunction?: WindowFunction<K, T, unknown>): DataStream<unknown> {
    return this.#transform(reduceFold(reduce as ReduceFunction<unknown>, windowFunction as AnyWindowFunction | undefined));
  }

  aggregate<Acc, Result>(aggregate: AggregateFunction<T, Acc, Result>): DataStream<Result>;
  aggregate<Acc, Result, Out>(
    aggregate: AggregateFunction<T, Acc, Result>,
    windowFunction: WindowFunction<K, Result, Out>,
  ): DataStream<Out>;
  aggregate<Acc, Result>(
    aggregate: AggregateFunction<T, Acc, Result>,
    windowFunction?: WindowFunction<K, Result, unknown>,
  ): DataStream<unknown> {
    const mergeable = aggregate.merge !== undefined;
    return this.#transform(aggregateFold(aggregate as AnyAggregate, windowFunction as AnyWindowFunction | undefined), mergeable);
  }

  /** All elements of the window at once. They are kept in state until then: prefer `aggregate` where it does. */
  process<Out = unknown>(user: ProcessWindowFunction<K, T, Out>): DataStream<Out> {
    return this.#transform(listFold(user as ProcessWindowFunction<unknown, unknown, unknown>));
  }

  #transform<Out>(fold: WindowFold, mergeable = true): DataStream<Out> {
    const { assigner, lateTag } = this.#settings;
    // Processing time is never late.
    const allowedLatenessMs = assigner.domain === 'event' ? this.#settings.allowedLatenessMs : 0;
    const spec = windowSpec({ assigner, fold, allowedLatenessMs, lateTag });
    const stream = this.#pipeline.stream<Out>({ ...spec, role: 'operator', name: windowName(assigner), inputs: [this.#input] });
    this.#check(this.#pipeline.nodes.at(-1)!, mergeable);
    return stream;
  }

  #check(node: NodeDraft, mergeable: boolean): void {
    const { assigner, allowedLatenessMs } = this.#settings;
    for (const fault of assignerFaults(assigner))
      this.#pipeline.report(node, 'window-invalid', fault, 'Use minutes(…), hours(…) or days(…).');
    if (!Number.isSafeInteger(allowedLatenessMs) || allowedLatenessMs < 0) {
      this.#pipeline.report(node, 'lateness-invalid', `the allowed lateness is ${allowedLatenessMs} ms`, 'Give whole milliseconds from 0.');
    }
    if (assigner.kind === 'session' && !mergeable) {
      this.#pipeline.report(
        node,
        'merge-missing',
        'its aggregate function has no merge, and sessions merge',
        'Add merge(left, right) to the aggregate function.',
      );
    }
  }
}

/** For example `sliding window 10min/1min`. */
function windowName({ kind, sizeMs, slideMs }: WindowAssigner): string {
  return `${kind} window ${durationText(sizeMs)}${kind === 'sliding' ? `/${durationText(slideMs)}` : ''}`;
}
