/**
 * Time that moves only when everybody waits: from event to event, in order of their time, at once.
 *
 * VT1. Between two events all promises that need no time have run. What needs the outside, such as a file, is read before a run.
 * VT2. Events of one moment come in the order in which they were asked for.
 */
import type { CancelTimer, Clock, Timers } from '../../ports/system.ts';

interface Event {
  readonly atMs: number;
  readonly order: number;
  /** null = taken back. */
  run: (() => void) | null;
}

/** A day in 2027; the jobs under test see real-looking times. */
const startMs = 1_800_000_000_000;

export class VirtualTime {
  #nowMs = 0;
  #order = 0;
  readonly #events: Event[] = [];

  readonly clock: Clock = { now: () => startMs + Math.floor(this.#nowMs), monotonic: () => this.#nowMs };
  readonly timers: Timers = { after: (delayMs, wake) => this.after(delayMs, wake) };

  /** Milliseconds since the run began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): CancelTimer {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Runs events until `isOver`, or until none is left. */
  async run(isOver: () => boolean): Promise<void> {
    // Between two runs others have their turn, such as who hears Ctrl-C.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#settle();
    while (!isOver()) {
      const event = this.#pop();
      if (event === undefined) return;
      if (event.run === null) continue;
      this.#nowMs = event.atMs;
      event.run();
      await this.#settle();
    }
  }

  async #settle(): Promise<void> {
    // A tick comes when no promise is left to be told of; a turn of the event loop would take several times as long.
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }

  #push(event: Event): void {
    const heap = this.#events;
    let at = heap.push(event) - 1;
    for (; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#events;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
