/** For tests of a job's own functions. */
export { harnessOf, sinkHarnessOf, twoInputHarnessOf } from './harness-of.ts';
export { type HarnessOptions, type HarnessRecord, type HarnessSnapshot, OperatorHarness } from './operator-harness.ts';
export type { SimulatedMode } from './sim/circumstances.ts';
export type { Covers } from './sim/differences.ts';
export type { Fault } from './sim/fault.ts';
export { simulate } from './sim/simulate.ts';
export type { SimulateOptions, SimulationWork } from './sim/simulate-options.ts';
export type { SimulatedRun, SimulationReport, SimulationTotals, Violation } from './sim/simulation-report.ts';
