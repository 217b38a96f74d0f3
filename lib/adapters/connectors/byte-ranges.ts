/** Ranges of a file that are read in as few pieces as their places allow. */

/** The end not included. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** Neighbours with no more than `gapBytesMax` between them are one, as long as they are not larger than `bytesMax` together. */
export function mergeRanges(ranges: readonly ByteRange[], gapBytesMax: number, bytesMax: number): readonly ByteRange[] {
  const merged: ByteRange[] = [];
  for (const range of ranges.toSorted((left, right) => left.from - right.from)) {
    const last = merged.at(-1);
    const to = Math.max(last?.to ?? 0, range.to);
    if (last !== undefined && range.from - last.to <= gapBytesMax && to - last.from <= bytesMax)
      merged[merged.length - 1] = { from: last.from, to };
    else merged.push(range);
  }
  return merged;
}

type Fetch = (from: number, to: number) => Promise<ArrayBuffer>;

/** Slices of what is fetched range by range, all at the same time, from the first slice on. What lies in none of them is fetched by itself. */
export class RangeBuffer {
  readonly #ranges: readonly ByteRange[];
  readonly #fetch: Fetch;
  #fetched: readonly Promise<ArrayBuffer>[] | undefined;

  constructor(ranges: readonly ByteRange[], fetch: Fetch) {
    this.#ranges = ranges;
    this.#fetch = fetch;
  }

  async slice(from: number, to: number): Promise<ArrayBuffer> {
    const index = this.#ranges.findIndex((range) => range.from <= from && to <= range.to);
    if (index < 0) return this.#fetch(from, to);
    const range = this.#ranges[index]!;
    const whole = await this.#fetchAll()[index]!;
    return from === range.from && to === range.to ? whole : whole.slice(from - range.from, to - range.from);
  }

  #fetchAll(): readonly Promise<ArrayBuffer>[] {
    this.#fetched ??= this.#ranges.map(({ from, to }) => {
      const fetching = this.#fetch(from, to);
      // Whoever slices it is told.
      fetching.catch(() => undefined);
      return fetching;
    });
    return this.#fetched;
  }
}
