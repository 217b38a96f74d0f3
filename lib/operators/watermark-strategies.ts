/** Where the event time of a record is, and how far out of order records may come. Watermarks are made per split. */
import { SluiceError } from '../base/errors.ts';
import type { WatermarkStrategy } from './operator.ts';

export interface Watermarks<T> extends Omit<WatermarkStrategy, 'timestampOf'> {
  readonly timestampOf?: (value: T) => number;
}

export interface WatermarkOptions {
  /** A split that brought nothing for so long does not hold the others back. In milliseconds; default: never. */
  readonly idleness?: number;
  /**
   * One record of the year 9999 would close every window, and make all that comes after it late. A record whose event time is further ahead of the clock than
   * this fails the source (`SLUICE-TIMESTAMP-AHEAD`), or is set aside by `onError`. In milliseconds, 0 = none may be; default: any time is taken.
   */
  readonly aheadMax?: number;
}

/** Within a split event time never goes back. */
export function monotonousTimestamps<T>(
  timestampOf: (value: T) => number,
  { idleness = 0, aheadMax }: WatermarkOptions = {},
): Watermarks<T> {
  return { kind: 'monotonous', outOfOrdernessMs: 0, idleMs: idleness, aheadMaxMs: aheadMax ?? null, timestampOf: checked(timestampOf) };
}

/** Within a split a record is at most so much older than the newest one before it; what is older still is late. */
export function boundedOutOfOrderness<T>(
  outOfOrdernessMs: number,
  timestampOf: (value: T) => number,
  { idleness = 0, aheadMax }: WatermarkOptions = {},
): Watermarks<T> {
  return {
    kind: 'bounded-out-of-orderness',
    outOfOrdernessMs,
    idleMs: idleness,
    aheadMaxMs: aheadMax ?? null,
    timestampOf: checked(timestampOf),
  };
}

export function noWatermarks<T>(): Watermarks<T> {
  return { kind: 'none', outOfOrdernessMs: 0, idleMs: 0, aheadMaxMs: null };
}

/** A missing field gives NaN, which no comparison holds against: it would come into some window, silently. */
function checked<T>(timestampOf: (value: T) => number): (value: T) => number {
  return (value) => {
    const timestamp = timestampOf(value);
    if (!Number.isSafeInteger(timestamp)) throw timestampInvalid(timestamp);
    return timestamp;
  };
}

function timestampInvalid(timestamp: unknown): SluiceError {
  return new SluiceError(
    'SLUICE-TIMESTAMP-INVALID',
    `the watermark strategy of a source returned ${String(timestamp)} as the event time of a record`,
    {
      hint: 'Return whole milliseconds since 1970, for example Date.parse(order.placedAt).',
      facts: { timestamp: String(timestamp) },
    },
  );
}

/** @throws SluiceError `SLUICE-TIMESTAMP-AHEAD`, for a record that a source may bring: of the user's data, as what the strategy throws itself */
export function timestampAhead(timestamp: number, latest: number, nowMs: number): SluiceError {
  return new SluiceError(
    'SLUICE-TIMESTAMP-AHEAD',
    `the event time of a record, ${timestamp}, is ${timestamp - nowMs} ms ahead of the clock, and its source takes none of after ${latest}`,
    {
      hint: 'Correct the clock of whoever wrote it, set such records aside (onError), or allow more with aheadMax.',
      facts: { timestamp, latest },
    },
  );
}
