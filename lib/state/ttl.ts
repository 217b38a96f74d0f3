/**
 * Time to live, in processing time, judged on read from the stored time (Flink's StateTtlConfig). A value is stored as `[value, lastAccessMs]`.
 */
import type { StateTtl } from './descriptors.ts';

export interface Cell {
  readonly read: () => unknown;
  /** undefined clears. */
  readonly write: (value: unknown) => void;
}

export function ttlCell(inner: Cell, ttl: StateTtl, now: () => number): Cell {
  const onRead = ttl.update === 'on-read-and-write';
  const returnExpired = ttl.visibility === 'return-expired-if-not-cleaned-up';
  return {
    read() {
      const stored = inner.read() as readonly [unknown, number] | undefined;
      if (stored === undefined) return undefined;
      const [value, lastAccessMs] = stored;
      if (now() >= lastAccessMs + ttl.ttlMs) {
        inner.write(undefined);
        return returnExpired ? value : undefined;
      }
      if (onRead && now() !== lastAccessMs) inner.write([value, now()]);
      return value;
    },
    write: (value) => inner.write(value === undefined ? undefined : [value, now()]),
  };
}
