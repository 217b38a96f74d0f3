/** What a run is told to be, step by step and fault by fault, instead of what its seed draws. */
import type { Decisions } from './decisions.ts';
import type { FaultSource } from './fault.ts';
import type { People } from './people.ts';

export interface Scripted {
  /** Sees every call and what befalls it, and may say otherwise. Not where just some faults are given. */
  readonly watch?: (faults: FaultSource, decisions: Decisions) => FaultSource;
  /** What people do: the run is faulty until it ends. Messages become visible again soon. */
  readonly script?: (people: People) => Promise<void>;
  /** The job may fail; a script that lets it goes on with it. */
  readonly mayFail?: boolean;
  readonly sweepMs?: number;
}

/** How long a script may take, and the job behind it. */
export const scriptedMs = 120_000;
