/** Binary heap of values by a number, smallest first. Entries are not removed from the middle: whoever pops one checks that it still holds. */
export class MinHeap<T> {
  #entries: { readonly rank: number; readonly value: T }[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** The smallest rank; Infinity where the heap is empty. */
  get first(): number {
    return this.#entries[0]?.rank ?? Infinity;
  }

  push(rank: number, value: T): void {
    const entries = this.#entries;
    let at = entries.push({ rank, value }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (entries[parent]!.rank <= entries[at]!.rank) break;
      [entries[parent], entries[at]] = [entries[at]!, entries[parent]!];
      at = parent;
    }
  }

  pop(): T | undefined {
    const entries = this.#entries;
    const top = entries[0];
    const last = entries.pop();
    if (top === undefined || last === undefined || entries.length === 0) return top?.value;
    entries[0] = last;
    let at = 0;
    for (;;) {
      let least = at;
      for (const child of [at * 2 + 1, at * 2 + 2])
        if (child < entries.length && entries[child]!.rank < entries[least]!.rank) least = child;
      if (least === at) return top.value;
      [entries[least], entries[at]] = [entries[at]!, entries[least]!];
      at = least;
    }
  }

  /** Drops what `keep` refuses: bounds a heap whose entries become obsolete faster than their rank comes up. */
  retain(keep: (rank: number, value: T) => boolean): void {
    const kept = this.#entries.filter((entry) => keep(entry.rank, entry.value));
    this.#entries = [];
    for (const entry of kept) this.push(entry.rank, entry.value);
  }
}
