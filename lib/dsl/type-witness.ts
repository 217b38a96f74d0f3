import type { TypeWitness } from '../operators/function-types.ts';

/** `emits: type<Season>()`: says what a process function emits; without it the stream is one of unknown values. */
export function type<T>(): TypeWitness<T> {
  return {};
}
