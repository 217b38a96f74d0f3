/** The first signal asks, the second one kills. */
import type { CliIo, StopSignal } from './cli-io.ts';
import { exitCodes } from './exit-codes.ts';

export interface StopWatch {
  /** Resolves at the first signal. */
  readonly stopped: Promise<StopSignal>;
  readonly end: () => void;
}

/** A terminal sends Ctrl-C to a whole group of processes, and a parent may pass it on: what comes at once is the same one. */
const sameSignalMs = 300;

export function watchStop(io: CliIo, onFirst: (signal: StopSignal) => void): StopWatch {
  let firstAtMs: number | null = null;
  let resolveStopped: (signal: StopSignal) => void = () => undefined;
  const stopped = new Promise<StopSignal>((resolve) => (resolveStopped = resolve));
  const end = io.onStop((signal) => {
    const nowMs = io.clock.monotonic();
    if (firstAtMs === null) {
      firstAtMs = nowMs;
      onFirst(signal);
      resolveStopped(signal);
    } else if (nowMs - firstAtMs > sameSignalMs) {
      io.kill(exitCodes[signal]);
    }
  });
  return { stopped, end };
}
