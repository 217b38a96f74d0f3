/** Two connected streams, one function each, no state: `map` and `flatMap` of ConnectedStreams. */
import type { FlatMapFunction } from './flat-map.ts';
import type { MapFunction } from './map.ts';
import { type OperatorSpec, statelessSpec } from './operator-spec.ts';
import type { OperatorContext, Output, StreamOperator } from './operator.ts';

class CoMapOperator implements StreamOperator {
  readonly #maps: readonly MapFunction<unknown, unknown>[];
  #output!: Output;

  constructor(maps: readonly MapFunction<unknown, unknown>[]) {
    this.#maps = maps;
  }

  open(context: OperatorContext): void {
    this.#output = context.output('');
  }

  process(input: number, value: unknown, timestamp: number): void {
    const map = this.#maps[input]!;
    this.#output.emit(map(value), timestamp);
  }
}

class CoFlatMapOperator implements StreamOperator {
  readonly #flatMaps: readonly FlatMapFunction<unknown, unknown>[];
  #output!: Output;

  constructor(flatMaps: readonly FlatMapFunction<unknown, unknown>[]) {
    this.#flatMaps = flatMaps;
  }

  open(context: OperatorContext): void {
    this.#output = context.output('');
  }

  process(input: number, value: unknown, timestamp: number): void {
    const flatMap = this.#flatMaps[input]!;
    for (const result of flatMap(value)) this.#output.emit(result, timestamp);
  }
}

export function coMapSpec(map1: MapFunction<unknown, unknown>, map2: MapFunction<unknown, unknown>): OperatorSpec {
  return statelessSpec('co-map', () => new CoMapOperator([map1, map2]));
}

export function coFlatMapSpec(flatMap1: FlatMapFunction<unknown, unknown>, flatMap2: FlatMapFunction<unknown, unknown>): OperatorSpec {
  return statelessSpec('co-flat-map', () => new CoFlatMapOperator([flatMap1, flatMap2]));
}
