import { afterEach } from 'vitest';
import { limits } from '../../lib/base/limits.ts';

type Limits = Record<keyof typeof limits, number>;

const real = { ...limits };

/** What comes with size comes at once: the base advances, timers and stashes are worked off in several commits, cleared maps are swept. */
export const smallLimits: Partial<Limits> = {
  baseAdvanceEpochs: 1,
  baseAdvanceRows: 8,
  baseAdvanceRowsQuiet: 4,
  baseRowsReadPerStep: 12,
  baseRowsPerStep: 6,
  baseRowsPerSlice: 2,
  deltaRowsPerPart: 2,
  timersPerCommitMax: 3,
  sourceRecordsPerCommit: 9,
  mapSweepRows: 2,
};

/** Makes what comes rarely come often: until the end of the test, bounds are as small as given. */
export function setLimits(small: Partial<Limits>): void {
  Object.assign(limits, small);
}

afterEach(() => {
  Object.assign(limits, real);
});
