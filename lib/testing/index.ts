/** For tests of a job's own functions. */
export { harnessOf, sinkHarnessOf, twoInputHarnessOf } from './harness-of.ts';
export { type HarnessOptions, type HarnessRecord, type HarnessSnapshot, OperatorHarness } from './operator-harness.ts';
export { simulate, type SimulateOptions, type SimulatedRun, type SimulationReport, type Violation } from './sim/simulate.ts';
