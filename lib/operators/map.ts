import { type OperatorSpec, statelessSpec } from './operator-spec.ts';
import type { OperatorContext, Output, StreamOperator } from './operator.ts';

export type MapFunction<In, Out> = (value: In) => Out;

class MapOperator implements StreamOperator {
  readonly #map: MapFunction<unknown, unknown>;
  #output!: Output;

  constructor(map: MapFunction<unknown, unknown>) {
    this.#map = map;
  }

  open(context: OperatorContext): void {
    this.#output = context.output('');
  }

  process(_input: number, value: unknown, timestamp: number): void {
    const map = this.#map;
    this.#output.emit(map(value), timestamp);
  }
}

export function mapSpec(map: MapFunction<unknown, unknown>): OperatorSpec {
  return statelessSpec('map', () => new MapOperator(map));
}
