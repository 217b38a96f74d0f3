/** What a simulation has found. */
import type { Fault } from './fault.ts';
import type { SimulationResult } from './run-simulation.ts';

export interface SimulatedRun {
  readonly seed: number;
  /** Of everything that was decided in the run: the same seed gives the same. */
  readonly hash: string;
  readonly problems: readonly string[];
  readonly faults: number;
  /** What really befell it. */
  readonly happened: readonly Fault[];
}

export interface SimulationTotals {
  readonly runs: number;
  readonly faults: number;
  readonly restores: number;
  readonly savepoints: number;
  /** Runs after which a job went on from one of the savepoints, and showed exactly the rest. */
  readonly continued: number;
  readonly checkpoints: number;
  readonly calls: number;
  readonly virtualMs: number;
}

export interface Violation {
  readonly seed: number;
  readonly problems: readonly string[];
  /** The fewest that still fail. */
  readonly faults: readonly Fault[];
  /** What happened, line by line, with just these. */
  readonly timeline: readonly string[];
}

export interface SimulationReport extends SimulationTotals {
  /** As many runs were asked for: fewer are there after a violation, or where it was ended early. */
  readonly asked: number;
  /** Records that each run has to show, at all sinks together. */
  readonly compared: number;
  readonly violations: readonly Violation[];
}

export const noRuns: SimulationTotals = {
  runs: 0,
  faults: 0,
  restores: 0,
  savepoints: 0,
  continued: 0,
  checkpoints: 0,
  calls: 0,
  virtualMs: 0,
};

export function withRun(totals: SimulationTotals, result: SimulationResult): SimulationTotals {
  return {
    runs: totals.runs + 1,
    faults: totals.faults + result.faults.length,
    restores: totals.restores + result.restores,
    savepoints: totals.savepoints + result.savepoints,
    continued: totals.continued + (result.continued === null ? 0 : 1),
    checkpoints: totals.checkpoints + result.checkpoints,
    calls: totals.calls + result.calls,
    virtualMs: totals.virtualMs + result.virtualMs,
  };
}
