/** What is asked of a simulation, and whether it can be done. */
import { SluiceError } from '../../base/errors.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import type { Circumstances, SimulatedMode } from './circumstances.ts';
import type { Covers } from './differences.ts';
import type { Scripted } from './scripted.ts';
import type { SimulatedRun, SimulationTotals } from './simulation-report.ts';
import type { Limits } from './small-limits.ts';

export interface SimulateOptions {
  /** How many runs; the seed of the first. Default 100, 1. */
  readonly seeds?: number;
  readonly firstSeed?: number;
  /** Job parameters, as on the command line. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Records that are read of each split, at most. Default 100: what is rare comes from many runs, not from many records. */
  readonly recordsPerSplit?: number;
  /** Restores go to one of these. Default 1 to 3. */
  readonly parallelism?: readonly number[];
  /** How barriers go: drawn for each run, and changed while it runs. Default aligned and unaligned, both exactly once. */
  readonly modes?: readonly SimulatedMode[];
  /** In mode `at-least-once`: whether a record that is shown stands for an expected one, as where a count is higher. Default: where they are equal. */
  readonly covers?: Covers;
  /** Sink uid → the lines that must become visible, in any order. Default: what a run without faults shows. */
  readonly expected?: Readonly<Record<string, readonly unknown[]>>;
  /** Other connectors than those of a local run. */
  readonly sources?: Readonly<Record<string, SplitReader>>;
  /** Called before each run that is not one of the seeds'. */
  readonly onWork?: (work: SimulationWork) => void;
  /** Called after each run. */
  readonly onRun?: (run: SimulatedRun, totals: SimulationTotals) => void;
  /** Ends early, with what there is. */
  readonly signal?: AbortSignal;
  /** A failing run is made smaller. Default true; a number: in at most so many runs, by default 600. */
  readonly shrink?: boolean | number;
  /** Stop at the first violation. Default true. */
  readonly bail?: boolean;
  /** For the examination of the simulator itself: other circumstances than usual. */
  readonly world?: SimulatedCircumstances;
}

/** `baseline`: runs in which nothing goes wrong, to compare with. `shrinking`: runs that make a failing one smaller. `runs`: of that kind before. */
export interface SimulationWork {
  readonly kind: 'baseline' | 'shrinking';
  readonly seed: number;
  readonly runs: number;
}

export type SimulatedCircumstances = Circumstances & Scripted & { readonly limits?: Partial<Limits> };

const modesThereAre: readonly SimulatedMode[] = ['aligned', 'unaligned', 'at-least-once'];

/** @throws SluiceError `SLUICE-SIMULATION-OPTIONS` naming every fault at once; `sinks`: uids of the job's */
export function checkOptions(options: SimulateOptions, sinks: readonly string[]): void {
  const faults = [
    ...wholeNumber('seeds', options.seeds, 1),
    ...wholeNumber('firstSeed', options.firstSeed, 0),
    ...wholeNumber('recordsPerSplit', options.recordsPerSplit, 1),
    ...someOf('parallelism', options.parallelism),
    ...(options.parallelism ?? []).flatMap((one) => wholeNumber('parallelism', one, 1)),
    ...someOf('modes', options.modes),
    ...(options.modes ?? [])
      .filter((mode) => !modesThereAre.includes(mode))
      .map((mode) => `there is no mode ${mode}: ${modesThereAre.join(', ')}`),
    ...Object.keys(options.expected ?? {})
      .filter((uid) => !sinks.includes(uid))
      .map((uid) => `expected names ${uid}, which is no sink of the job: ${sinks.join(', ')}`),
  ];
  if (faults.length === 0) return;
  throw new SluiceError('SLUICE-SIMULATION-OPTIONS', `the options of the simulation are not usable: ${faults.join('; ')}`, {
    hint: 'Correct the options named above.',
    facts: { faults },
  });
}

function wholeNumber(name: string, value: number | undefined, least: number): readonly string[] {
  return value === undefined || (Number.isSafeInteger(value) && value >= least)
    ? []
    : [`${name} is ${value}, a whole number from ${least} on is wanted`];
}

function someOf(name: string, values: readonly unknown[] | undefined): readonly string[] {
  return values?.length === 0 ? [`${name} names none`] : [];
}
