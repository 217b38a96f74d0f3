import { type OperatorSpec, statelessSpec } from './operator-spec.ts';
import type { OperatorContext, Output, StreamOperator } from './operator.ts';

export type FilterFunction<In> = (value: In) => boolean;

class FilterOperator implements StreamOperator {
  readonly #keep: FilterFunction<unknown>;
  #output!: Output;

  constructor(keep: FilterFunction<unknown>) {
    this.#keep = keep;
  }

  open(context: OperatorContext): void {
    this.#output = context.output('');
  }

  process(_input: number, value: unknown, timestamp: number): void {
    const keep = this.#keep;
    if (keep(value)) this.#output.emit(value, timestamp);
  }
}

export function filterSpec(keep: FilterFunction<unknown>): OperatorSpec {
  return statelessSpec('filter', () => new FilterOperator(keep));
}
