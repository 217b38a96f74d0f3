import type { Clock, Timers } from '../../lib/ports/system.ts';

interface Alarm {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

/** A clock that stands still until the test moves it. */
export class ManualTime {
  #nowMs = 1_000_000;
  #order = 0;
  #alarms: Alarm[] = [];

  readonly clock: Clock = { now: () => 1_700_000_000_000 + this.#nowMs, monotonic: () => this.#nowMs };

  readonly timers: Timers = {
    after: (delayMs, wake) => {
      const alarm: Alarm = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, wake };
      this.#alarms.push(alarm);
      return () => {
        this.#alarms = this.#alarms.filter((other) => other !== alarm);
      };
    },
  };

  /** How many waits are going on. */
  get waiting(): number {
    return this.#alarms.length;
  }

  /** Moves the clock, and wakes whoever is due on the way, in order. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const next = this.#alarms.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#alarms = this.#alarms.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      await settle();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Lets everything run that needs no time. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
