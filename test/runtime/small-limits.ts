import { afterEach } from 'vitest';
import { limits } from '../../lib/base/limits.ts';
import { smallLimits as simulated, type Limits } from '../../lib/testing/sim/small-limits.ts';

const real = { ...limits };

/** Those of the simulator, and what sources read and cleared maps sweep in a commit. */
export const smallLimits: Partial<Limits> = { ...simulated, sourceRecordsPerCommit: 9, mapSweepRows: 2 };

/** Makes what comes rarely come often: until the end of the test, bounds are as small as given. */
export function setLimits(small: Partial<Limits>): void {
  Object.assign(limits, small);
}

afterEach(() => {
  Object.assign(limits, real);
});
