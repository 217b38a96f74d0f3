/** Running reduce and aggregate of a keyed stream: every record gives the result so far. */
import type { AggregateFunction, ValueState } from '../state/descriptors.ts';
import { refuseUndefined } from './accumulator-value.ts';
import type { OperatorSpec } from './operator-spec.ts';
import type { OperatorContext, Output, StreamOperator } from './operator.ts';

export type ReduceFunction<T> = (left: T, right: T) => T;

class ReduceOperator implements StreamOperator {
  readonly #reduce: ReduceFunction<unknown>;
  #output!: Output;
  #reduced!: ValueState<unknown>;

  constructor(reduce: ReduceFunction<unknown>) {
    this.#reduce = reduce;
  }

  open(context: OperatorContext): void {
    this.#output = context.output('');
    this.#reduced = context.keyed().state('reduced', { kind: 'value' });
  }

  process(_input: number, value: unknown, timestamp: number): void {
    const reduce = this.#reduce;
    const before = this.#reduced.value();
    const after = before === undefined ? value : reduce(before, value);
    if (after === undefined) refuseUndefined('the function of reduce');
    this.#reduced.update(after);
    this.#output.emit(after, timestamp);
  }
}

class AggregateOperator implements StreamOperator {
  readonly #aggregate: AggregateFunction<unknown, unknown, unknown>;
  #output!: Output;
  #accumulator!: ValueState<unknown>;

  constructor(aggregate: AggregateFunction<unknown, unknown, unknown>) {
    this.#aggregate = aggregate;
  }

  open(context: OperatorContext): void {
    this.#output = context.output('');
    this.#accumulator = context.keyed().state('accumulator', { kind: 'value' });
  }

  process(_input: number, value: unknown, timestamp: number): void {
    const aggregate = this.#aggregate;
    const before = this.#accumulator.value();
    // Not `??`: null is an accumulator like any other.
    const accumulator = aggregate.add(value, before === undefined ? aggregate.createAccumulator() : before);
    if (accumulator === undefined) refuseUndefined('add of the aggregate function');
    this.#accumulator.update(accumulator);
    this.#output.emit(aggregate.getResult(accumulator), timestamp);
  }
}

export function reduceSpec(reduce: ReduceFunction<unknown>): OperatorSpec {
  return { kind: 'reduce', states: [{ name: 'reduced', kind: 'value' }], create: () => new ReduceOperator(reduce) };
}

export function aggregateSpec(aggregate: AggregateFunction<unknown, unknown, unknown>): OperatorSpec {
  return { kind: 'aggregate', states: [{ name: 'accumulator', kind: 'value' }], create: () => new AggregateOperator(aggregate) };
}
