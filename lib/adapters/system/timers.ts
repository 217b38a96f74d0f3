import type { Timers } from '../../ports/system.ts';

/** Node fires at once what is further away than this; longer waits are made of several. */
const timeoutMaxMs = 2_147_483_647;

export const systemTimers: Timers = {
  after(delayMs, wake) {
    // A turn of the event loop, for whoever only lets others in: a timeout would cost a millisecond.
    if (delayMs <= 0) {
      const immediate = setImmediate(wake);
      return () => clearImmediate(immediate);
    }
    // Whole milliseconds, rounded up: Node cuts fractions off and would wake too early.
    let leftMs = Math.max(0, Math.ceil(delayMs));
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const stepMs = Math.min(leftMs, timeoutMaxMs);
      leftMs -= stepMs;
      handle = setTimeout(() => (leftMs > 0 ? arm() : wake()), stepMs);
    };
    arm();
    return () => clearTimeout(handle);
  },
};
