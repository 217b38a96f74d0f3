/** The contents of a window: how a record changes them, how those of merging sessions join, and what is emitted of them. */
import type { AggregateFunction } from '../state/descriptors.ts';
import type { ReduceFunction } from './keyed-reduce.ts';
import type { WindowEmission } from './window-emission.ts';
import type { ProcessWindowFunction, WindowFunction } from './window-function.ts';

export interface WindowFold {
  /** `contents` undefined = the window is new. */
  add(contents: unknown, value: unknown): unknown;
  merge(left: unknown, right: unknown): unknown;
  fire(contents: unknown, emission: WindowEmission): void;
}

type AnyWindowFunction = WindowFunction<unknown, unknown, unknown> | undefined;

export function reduceFold(reduce: ReduceFunction<unknown>, windowFunction: AnyWindowFunction): WindowFold {
  return {
    add: (contents, value) => (contents === undefined ? value : reduce(contents, value)),
    merge: (left, right) => reduce(left, right),
    fire: (contents, emission) => emission.emit(windowFunction === undefined ? contents : windowFunction(contents, emission)),
  };
}

export function aggregateFold(aggregate: AggregateFunction<unknown, unknown, unknown>, windowFunction: AnyWindowFunction): WindowFold {
  return {
    add: (contents, value) => aggregate.add(value, contents === undefined ? aggregate.createAccumulator() : contents),
    merge: (left, right) => aggregate.merge!(left, right),
    fire(contents, emission) {
      const result = aggregate.getResult(contents);
      emission.emit(windowFunction === undefined ? result : windowFunction(result, emission));
    },
  };
}

/** Appends in place: the list is written back at once, and a copy per record would make a window quadratic. */
export function listFold(user: ProcessWindowFunction<unknown, unknown, unknown>): WindowFold {
  return {
    add(contents, value) {
      if (contents === undefined) return [value];
      (contents as unknown[]).push(value);
      return contents;
    },
    merge: (left, right) => [...(left as unknown[]), ...(right as unknown[])],
    fire: (contents, emission) => user.process(contents as readonly unknown[], emission),
  };
}
