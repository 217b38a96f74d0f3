/**
 * Timers of one domain that are known in memory, by time: a binary heap. Ties go by key, then namespace, so that firing is the same in every run.
 *
 * TI1. Every live element of every entry in memory is in the heap; removed ones are skipped when they come up.
 * TI2. Timers of the base up to the cursor `horizon` are in memory; what lies beyond is read before the watermark passes it.
 */
import type { DueCursor } from '../ports/keyed-base.ts';
import type { TimerElement } from './key-entry.ts';

/** How far the base's timers have been read: `null` = nothing yet, `whole` = all. */
export type Horizon = DueCursor | null | 'whole';

export class TimerIndex {
  readonly #heap: TimerElement[] = [];
  horizon: Horizon;

  constructor(horizon: Horizon) {
    this.horizon = horizon;
  }

  add(element: TimerElement): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(element);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!comesBefore(element, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = element;
  }

  /** The earliest live timer, `undefined` where there is none. */
  peek(): TimerElement | undefined {
    const heap = this.#heap;
    while (heap.length > 0 && !heap[0]!.live) this.#removeFirst();
    return heap[0];
  }

  /** Takes the timers up to and at `timestamp`, at most `countMax`, in order. */
  takeDue(timestamp: number, countMax: number): TimerElement[] {
    const due: TimerElement[] = [];
    for (let next = this.peek(); next !== undefined && next.timestamp <= timestamp && due.length < countMax; next = this.peek()) {
      this.#removeFirst();
      due.push(next);
    }
    return due;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && comesBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!comesBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

/** By time, then key, then namespace: the same order in every run. */
export function comesBefore(a: TimerElement, b: TimerElement): boolean {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp;
  if (a.entry.canonical !== b.entry.canonical) return a.entry.canonical < b.entry.canonical;
  return a.namespace < b.namespace;
}
