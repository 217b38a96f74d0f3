/** Where the event time of a record is, and how far out of order records may come. Watermarks are made per split. */
import type { WatermarkStrategy } from './operator.ts';

export interface Watermarks<T> extends Omit<WatermarkStrategy, 'timestampOf'> {
  readonly timestampOf?: (value: T) => number;
}

export interface WatermarkOptions {
  /** A split that brought nothing for so long does not hold the others back. In milliseconds; default: never. */
  readonly idleness?: number;
}

/** Within a split event time never goes back. */
export function monotonousTimestamps<T>(timestampOf: (value: T) => number, { idleness = 0 }: WatermarkOptions = {}): Watermarks<T> {
  return { kind: 'monotonous', outOfOrdernessMs: 0, idleMs: idleness, timestampOf };
}

/** Within a split a record is at most so much older than the newest one before it; what is older still is late. */
export function boundedOutOfOrderness<T>(
  outOfOrdernessMs: number,
  timestampOf: (value: T) => number,
  { idleness = 0 }: WatermarkOptions = {},
): Watermarks<T> {
  return { kind: 'bounded-out-of-orderness', outOfOrdernessMs, idleMs: idleness, timestampOf };
}

export function noWatermarks<T>(): Watermarks<T> {
  return { kind: 'none', outOfOrdernessMs: 0, idleMs: 0 };
}
