import { type OperatorSpec, statelessSpec } from './operator-spec.ts';
import type { OperatorContext, Output, StreamOperator } from './operator.ts';

/** Returns none, one or many: an array, a set, a generator. */
export type FlatMapFunction<In, Out> = (value: In) => Iterable<Out>;

class FlatMapOperator implements StreamOperator {
  readonly #flatMap: FlatMapFunction<unknown, unknown>;
  #output!: Output;

  constructor(flatMap: FlatMapFunction<unknown, unknown>) {
    this.#flatMap = flatMap;
  }

  open(context: OperatorContext): void {
    this.#output = context.output('');
  }

  process(_input: number, value: unknown, timestamp: number): void {
    const flatMap = this.#flatMap;
    for (const result of flatMap(value)) this.#output.emit(result, timestamp);
  }
}

export function flatMapSpec(flatMap: FlatMapFunction<unknown, unknown>): OperatorSpec {
  return statelessSpec('flat-map', () => new FlatMapOperator(flatMap));
}
