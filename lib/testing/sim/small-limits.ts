import { limits } from '../../base/limits.ts';

type Limits = Record<keyof typeof limits, number>;

/** What comes with size comes at once: the base advances, timers and stashes are worked off in several commits. */
const smallLimits: Partial<Limits> = {
  baseAdvanceEpochs: 1,
  baseAdvanceRows: 8,
  baseAdvanceRowsQuiet: 4,
  baseRowsReadPerStep: 12,
  baseRowsPerStep: 6,
  baseRowsPerSlice: 2,
  deltaRowsPerPart: 2,
  timersPerCommitMax: 3,
};

/** The limits are the process's own: while it runs, nothing else may. */
export async function withLimits<T>(small: boolean, run: () => Promise<T>): Promise<T> {
  if (!small) return run();
  const before = { ...limits };
  Object.assign(limits, smallLimits);
  try {
    return await run();
  } finally {
    Object.assign(limits, before);
  }
}
