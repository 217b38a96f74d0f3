/** What a record can do to whoever processes it. */
import { isDeepStrictEqual } from 'node:util';

export interface Order {
  readonly key: unknown;
  readonly n: number;
  readonly act?: 'throw' | 'hang' | 'memory' | 'keep' | 'recall';
  /** Of the operators behind the queue. */
  readonly to?: 'endless' | 'greedy';
  readonly says?: string;
  /** Event time. */
  readonly at?: number;
  readonly sentAtMs?: number;
  readonly blob?: string;
}

interface Kept {
  value(): unknown;
  update(value: unknown): void;
}

/** Everything that JSON would change. */
const strange = {
  numbers: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0],
  big: 9007199254740993n,
  missing: undefined,
  date: new Date(0),
  map: new Map<unknown, unknown>([
    ['__proto__', new Set(['constructor'])],
    [1, 'one'],
  ]),
};

/** The correction of a function, as its configuration. */
const isCorrected = (): boolean => process.env['CORRECTED'] === 'yes';

export function act({ act: what, says }: Order, kept: Kept): string | undefined {
  if (what === 'keep') kept.update(strange);
  if (what === 'recall') return isDeepStrictEqual(kept.value(), strange) ? 'as it was' : 'changed';
  if (what === undefined || isCorrected()) return undefined;
  if (what === 'throw') throw new Error(says ?? 'cannot take it');
  if (what === 'hang') while (!isCorrected());
  const all: number[][] = [];
  while (what === 'memory') all.push(Array.from({ length: 100_000 }, Math.random));
  return undefined;
}

export function describe(order: Order) {
  const { key, n, sentAtMs, blob } = order;
  return {
    key,
    n,
    ...(sentAtMs === undefined ? {} : { delayMs: Date.now() - sentAtMs }),
    ...(blob === undefined ? {} : { characters: blob.length }),
    ...(Object.hasOwn(order, '__proto__') ? { proto: Object.getOwnPropertyDescriptor(order, '__proto__')!.value as unknown } : {}),
    ...('polluted' in {} ? { polluted: true } : {}),
  };
}
