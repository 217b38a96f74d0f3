/**
 * What goes wrong now and is being tried again. For people only: nothing is decided by it, it may be lost at any time, and a place for it may be missing.
 */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** Undefined = the coordinator's. */
  readonly operator?: string;
  readonly shard?: number;
  /** It will not pass by itself at the next try: shown from the first on. */
  readonly isCertain?: boolean;
}

export interface PresentProblem extends Problem {
  readonly sinceMs: number;
  readonly tries: number;
}

/** `place` tells problems apart: of one place only the last counts. */
export interface ProblemBoard {
  met(place: string, problem: Problem): void;
  passed(place: string): void;
  /** Oldest first, without what may pass at the next try. */
  list(): readonly PresentProblem[];
}
