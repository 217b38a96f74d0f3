/**
 * Time to live, in processing time, judged on read from the stored time (Flink's StateTtlConfig). A value is stored as `[value, lastAccessMs]`.
 */
import type { ListState, StateTtl } from './descriptors.ts';

/** A list that is stored whole; storing none clears. */
export interface ListCell {
  readonly stored: () => readonly unknown[];
  readonly store: (items: readonly unknown[]) => void;
}

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

type Stamped = readonly [unknown, number];

/** Each element has its own time to live, as in Flink. Expired ones are cleaned up by the next write, by a read that updates, or when all have expired. */
export function ttlList({ stored, store }: ListCell, ttl: StateTtl, now: () => number): ListState<unknown> {
  const returnExpired = ttl.visibility === 'return-expired-if-not-cleaned-up';
  const all = (): readonly Stamped[] => stored() as readonly Stamped[];
  const alive = (): readonly Stamped[] => all().filter(([, at]) => now() < at + ttl.ttlMs);
  const stamp = (values: readonly unknown[]): Stamped[] => values.map((value) => [value, now()]);
  const onRead = ttl.update === 'on-read-and-write';
  return {
    get() {
      const items = all();
      const living = alive();
      if (living.length === 0 && items.length > 0) store([]);
      else if (onRead && living.some(([, at]) => at !== now())) store(stamp(living.map(([value]) => value)));
      return (returnExpired ? items : living).map(([value]) => value);
    },
    add: (value) => store([...alive(), ...stamp([value])]),
    addAll: (values) => store([...alive(), ...stamp(values)]),
    update: (values) => store(stamp(values)),
    clear: () => store([]),
  };
}
