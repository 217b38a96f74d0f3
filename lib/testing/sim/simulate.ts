/**
 * Many seeds of one job: each a run of the shipped runtime and coordinator under faults, restores, rescaling and savepoints, whose visible results must be
 * those of a run in which nothing happened.
 */
import { createLocalConnectors } from '../../adapters/connectors/local-connectors.ts';
import { SluiceError } from '../../base/errors.ts';
import type { OperatorRegistry } from '../../operators/operator.ts';
import { compileJob, type CompiledJob } from '../../dsl/compile-job.ts';
import type { Job } from '../../dsl/define-job.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import { atLeastDifference, exactDifference, linesOf, tooManyDifference, type Covers } from './differences.ts';
import type { Fault } from './fault.ts';
import type { Circumstances, SimulatedMode } from './circumstances.ts';
import { runSimulation, type SimulationResult } from './run-simulation.ts';
import type { Scripted } from './scripted.ts';
import { shrinkFaults } from './shrink.ts';
import { loadSources, sinkName, sinksOf } from './sim-connectors.ts';
import { smallLimits, withLimits, type Limits } from './small-limits.ts';
import { timelineOf } from './timeline.ts';

export type { SimulatedMode } from './circumstances.ts';

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
  /** Called after each run. */
  readonly onRun?: (run: SimulatedRun, totals: SimulationTotals) => void;
  /** Ends early, with what there is. */
  readonly signal?: AbortSignal;
  /** A failing run is made smaller. Default true. */
  readonly shrink?: boolean;
  /** Stop at the first violation. Default true. */
  readonly bail?: boolean;
  /** For the examination of the simulator itself: other circumstances than usual. */
  readonly world?: SimulatedCircumstances;
}

export type SimulatedCircumstances = Circumstances & Scripted & { readonly limits?: Partial<Limits> };

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
  readonly violations: readonly Violation[];
}

/** @throws SluiceError `SLUICE-SIMULATION-UNSTABLE` where the job's results hang on the order of arrival, and none were given to compare with */
export async function simulate(job: Job, options: SimulateOptions = {}): Promise<SimulationReport> {
  const simulation = await Simulation.of(job, options);
  return simulation.run();
}

const hashPrefix = 'parallelism-';
const exactlyOnce: readonly SimulatedMode[] = ['aligned', 'unaligned'];

const zero: SimulationTotals = { runs: 0, faults: 0, restores: 0, savepoints: 0, continued: 0, checkpoints: 0, calls: 0, virtualMs: 0 };

class Simulation {
  readonly #job: Job;
  readonly #options: SimulateOptions;
  readonly #sources: Readonly<Record<string, SplitReader>>;
  readonly #compiled = new Map<number, CompiledJob>();
  #expected: ReadonlyMap<string, readonly string[]> = new Map();

  private constructor(job: Job, options: SimulateOptions, sources: Readonly<Record<string, SplitReader>>) {
    this.#job = job;
    this.#options = options;
    this.#sources = sources;
  }

  static async of(job: Job, options: SimulateOptions): Promise<Simulation> {
    const { plan } = compileJob(job, { parameters: options.parameters ?? {} });
    const sources = await loadSources(plan, options.sources ?? createLocalConnectors().sources, options.recordsPerSplit ?? 100);
    const simulation = new Simulation(job, options, sources);
    simulation.#expected = await simulation.#expectation();
    return simulation;
  }

  async run(): Promise<SimulationReport> {
    const { seeds = 100, firstSeed = 1, onRun, signal, bail = true } = this.#options;
    const violations: Violation[] = [];
    let totals = zero;
    for (let seed = firstSeed; seed < firstSeed + seeds && signal?.aborted !== true; seed++) {
      const result = await this.#once(seed);
      totals = add(totals, result);
      const problems = this.#problemsOf(result);
      onRun?.({ seed, hash: result.hash, problems, faults: result.faults.length, happened: result.happened }, totals);
      if (problems.length === 0) continue;
      violations.push(await this.#violation(seed, problems, result.faults));
      if (bail) break;
    }
    return { ...totals, violations };
  }

  #once(seed: number, more: { readonly faults?: readonly Fault[]; readonly calm?: boolean } = {}): Promise<SimulationResult> {
    const { parallelism = [1, 2, 3], modes = exactlyOnce } = this.#options;
    const compile = (n: number): CompiledJob => this.#compile(parallelism[n - 1]!);
    const functionsOf = (planHash: string): OperatorRegistry => this.#compiledAnew(Number(planHash.slice(hashPrefix.length))).registry;
    const sinks = sinksOf(this.#compile(1).plan).map(({ connector }) => sinkName(connector));
    const { limits, ...world } = this.#options.world ?? {};
    return withLimits({ ...(seed % 2 === 0 ? smallLimits : {}), ...limits }, () =>
      runSimulation({ seed, compile, functionsOf, sources: this.#sources, sinks, modes, versions: parallelism.length, ...world, ...more }),
    );
  }

  #compiledAnew(parallelism: number): CompiledJob {
    return compileJob(this.#job, { parameters: this.#options.parameters ?? {}, parallelism });
  }

  /** Small envelopes: many messages, many chances for trouble. */
  #compile(parallelism: number): CompiledJob {
    let compiled = this.#compiled.get(parallelism);
    if (compiled === undefined) {
      const { plan, ...rest } = this.#compiledAnew(parallelism);
      const edges = plan.edges.map((edge) => ({ ...edge, envelopeBytes: 60 }));
      compiled = { ...rest, plan: { ...plan, edges }, planHash: `${hashPrefix}${parallelism}` };
      this.#compiled.set(parallelism, compiled);
    }
    return compiled;
  }

  async #expectation(): Promise<ReadonlyMap<string, readonly string[]>> {
    const { expected } = this.#options;
    const sinks = sinksOf(this.#compile(1).plan);
    if (expected !== undefined) {
      return new Map(sinks.map(({ uid, connector }) => [sinkName(connector), linesOf(expected[uid] ?? [], connector)]));
    }
    const [first, ...others] = await Promise.all([1, 2, 3].map((seed) => this.#once(seed, { calm: true })));
    const result = new Map(sinks.map(({ connector }) => [sinkName(connector), linesOf(first!.published(sinkName(connector)), connector)]));
    for (const other of [first!, ...others]) {
      const problems = [...other.problems, ...this.#differences(other.published, result)];
      if (problems.length > 0) throw unstable(this.#job.name, problems);
    }
    return result;
  }

  #problemsOf(result: SimulationResult): readonly string[] {
    if (this.#options.world?.losing === true && result.stoodStill) return [];
    const { continued, isAtLeastOnce, hasGoneBack, hasFailed } = result;
    const mayLack = hasFailed && this.#options.world?.damaging === true;
    const after = continued === null ? [] : this.#differences(continued, this.#expected, isAtLeastOnce);
    return [
      ...result.problems,
      ...(mayLack ? this.#tooMany(result) : this.#differences(result.published, this.#expected, isAtLeastOnce && hasGoneBack)),
      ...after.map((problem) => `after going on from a savepoint, ${problem}`),
    ];
  }

  /** A job that has ended early has shown nothing that is wrong, if not everything. */
  #tooMany({ published, isAtLeastOnce }: SimulationResult): readonly string[] {
    if (isAtLeastOnce) return [];
    return sinksOf(this.#compile(1).plan).flatMap(({ uid, connector }) =>
      tooManyDifference(uid, this.#expected.get(sinkName(connector)) ?? [], linesOf(published(sinkName(connector)), connector)),
    );
  }

  #differences(
    published: SimulationResult['published'],
    expected: ReadonlyMap<string, readonly string[]>,
    mayRepeat = false,
  ): readonly string[] {
    return sinksOf(this.#compile(1).plan).flatMap(({ uid, connector }) => {
      const name = sinkName(connector);
      const right = expected.get(name) ?? [];
      const shown = linesOf(published(name), connector);
      return mayRepeat ? atLeastDifference(uid, right, shown, this.#options.covers) : exactDifference(uid, right, shown);
    });
  }

  async #violation(seed: number, problems: readonly string[], faults: readonly Fault[]): Promise<Violation> {
    const fails = async (some: readonly Fault[]): Promise<boolean> => this.#problemsOf(await this.#once(seed, { faults: some })).length > 0;
    const fewest = this.#options.shrink === false ? faults : await shrinkFaults(faults, fails);
    const result = await this.#once(seed, { faults: fewest });
    return { seed, problems, faults: fewest, timeline: timelineOf(result, this.#problemsOf(result)) };
  }
}

function add(totals: SimulationTotals, result: SimulationResult): SimulationTotals {
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

function unstable(job: string, problems: readonly string[]): SluiceError {
  return new SluiceError(
    'SLUICE-SIMULATION-UNSTABLE',
    `job ${job} shows other results in every run, even without faults: ${problems[0]!}`,
    {
      hint: 'Make its results independent of the order in which records of different splits arrive, or give `expected` results to simulate().',
      facts: { job, problems },
    },
  );
}
