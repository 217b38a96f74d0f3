/**
 * Many seeds of one job: each a run of the shipped runtime and coordinator under faults, restores, rescaling and savepoints, whose visible results must be
 * those of a run in which nothing happened.
 */
import { createLocalConnectors } from '../../adapters/connectors/local-connectors.ts';
import { SluiceError } from '../../base/errors.ts';
import type { OperatorRegistry } from '../../operators/operator.ts';
import { compileJob, newFunctions, type CompiledJob } from '../../dsl/compile-job.ts';
import type { Job } from '../../dsl/define-job.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import { atLeastDifference, exactDifference, linesOf, tooManyDifference } from './differences.ts';
import type { Fault } from './fault.ts';
import type { SimulatedMode } from './circumstances.ts';
import { runSimulation, type SimulationResult } from './run-simulation.ts';
import { shrinkFaults } from './shrink.ts';
import { loadSources, sinkName, sinksOf } from './sim-connectors.ts';
import { checkOptions, type SimulateOptions } from './simulate-options.ts';
import { noRuns, withRun, type SimulationReport, type Violation } from './simulation-report.ts';
import { smallLimits, withLimits } from './small-limits.ts';
import { timelineOf } from './timeline.ts';

/**
 * @throws SluiceError `SLUICE-SIMULATION-OPTIONS`; `SLUICE-SIMULATION-FAILED` where the job does not come to its end though nothing goes wrong;
 *   `SLUICE-SIMULATION-EMPTY` where there is nothing to compare; `SLUICE-SIMULATION-UNSTABLE` where its results hang on the order of arrival, and none were
 *   given to compare with
 */
export async function simulate(job: Job, options: SimulateOptions = {}): Promise<SimulationReport> {
  const simulation = await Simulation.of(job, options);
  return simulation.run();
}

const shrinkRunsMax = 600;
/** Of the runs in which nothing goes wrong. */
const calmSeeds = [1, 2, 3];
const exactlyOnce: readonly SimulatedMode[] = ['aligned', 'unaligned'];

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
    checkOptions(
      options,
      sinksOf(plan).map(({ uid }) => uid),
    );
    const sources = await loadSources(plan, options.sources ?? createLocalConnectors().sources, options.recordsPerSplit ?? 100);
    const simulation = new Simulation(job, options, sources);
    simulation.#expected = await simulation.#expectation();
    return simulation;
  }

  async run(): Promise<SimulationReport> {
    const { seeds = 100, firstSeed = 1, onRun, signal, bail = true } = this.#options;
    const violations: Violation[] = [];
    let totals = noRuns;
    for (let seed = firstSeed; seed < firstSeed + seeds && signal?.aborted !== true; seed++) {
      const result = await this.#once(seed);
      totals = withRun(totals, result);
      const problems = this.#problemsOf(result);
      onRun?.({ seed, hash: result.hash, problems, faults: result.faults.length, happened: result.happened }, totals);
      if (problems.length === 0) continue;
      violations.push(await this.#violation(seed, problems, result.faults));
      if (bail) break;
    }
    return { ...totals, asked: seeds, compared: this.#compared(), violations };
  }

  #once(seed: number, more: { readonly faults?: readonly Fault[]; readonly calm?: boolean } = {}): Promise<SimulationResult> {
    const { parallelism = [1, 2, 3], modes = exactlyOnce } = this.#options;
    // Where nothing goes wrong nobody loses what is in a field; else every deployment begins anew, and no run leaves anything to the next.
    const kept = more.calm === true ? this.#newFunctions() : undefined;
    const functionsOf = (): OperatorRegistry => kept ?? this.#newFunctions();
    const compile = (n: number): CompiledJob => ({ ...this.#compile(parallelism[n - 1]!), registry: functionsOf() });
    const sinks = sinksOf(this.#compile(1).plan).map(({ connector }) => sinkName(connector));
    const { limits, ...world } = this.#options.world ?? {};
    return withLimits({ ...(seed % 2 === 0 ? smallLimits : {}), ...limits }, () =>
      runSimulation({ seed, compile, functionsOf, sources: this.#sources, sinks, modes, versions: parallelism.length, ...world, ...more }),
    );
  }

  #newFunctions(): OperatorRegistry {
    return newFunctions(this.#job, this.#options.parameters ?? {});
  }

  /** Small envelopes: many messages, many chances for trouble. */
  #compile(parallelism: number): CompiledJob {
    let compiled = this.#compiled.get(parallelism);
    if (compiled === undefined) {
      const { plan, ...rest } = compileJob(this.#job, { parameters: this.#options.parameters ?? {}, parallelism });
      const edges = plan.edges.map((edge) => ({ ...edge, envelopeBytes: 60 }));
      compiled = { ...rest, plan: { ...plan, edges }, planHash: `parallelism-${parallelism}` };
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
    const calm = await this.#calmRuns();
    const result = new Map(
      sinks.map(({ connector }) => [sinkName(connector), linesOf(calm[0]!.published(sinkName(connector)), connector)]),
    );
    if ([...result.values()].every((lines) => lines.length === 0)) throw empty(this.#job.name, sinks.length);
    for (const { published } of calm) {
      const problems = this.#differences(published, result);
      if (problems.length > 0) throw unstable(this.#job.name, problems);
    }
    return result;
  }

  /** One after the other: limits belong to the whole process. */
  async #calmRuns(): Promise<readonly SimulationResult[]> {
    const results: SimulationResult[] = [];
    for (const seed of calmSeeds) {
      this.#options.onWork?.({ kind: 'baseline', seed, runs: results.length });
      const result = await this.#once(seed, { calm: true });
      if (result.problems.length > 0) throw failed(this.#job.name, result);
      results.push(result);
    }
    return results;
  }

  #compared(): number {
    return [...this.#expected.values()].reduce((sum, lines) => sum + lines.length, 0);
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
    const { shrink = true, signal, onWork } = this.#options;
    let runs = 0;
    const fails = async (some: readonly Fault[]): Promise<boolean> => {
      // What has been found by then is told.
      if (signal?.aborted === true) return false;
      onWork?.({ kind: 'shrinking', seed, runs: runs++ });
      return this.#problemsOf(await this.#once(seed, { faults: some })).length > 0;
    };
    const fewest = shrink === false ? faults : await shrinkFaults(faults, fails, shrink === true ? shrinkRunsMax : shrink);
    const result = await this.#once(seed, { faults: fewest });
    return { seed, problems, faults: fewest, timeline: timelineOf(result, this.#problemsOf(result)) };
  }
}

function unstable(job: string, problems: readonly string[]): SluiceError {
  return new SluiceError(
    'SLUICE-SIMULATION-UNSTABLE',
    `job ${job} shows other results in every run, even without faults: ${problems[0]!}`,
    {
      hint:
        'Make its results independent of the order in which records of different splits arrive, of the time and of chance, ' +
        'or give `expected` results to simulate().',
      facts: { job, problems },
    },
  );
}

function failed(job: string, { problems, trouble }: SimulationResult): SluiceError {
  const why = trouble ?? problems[0]!;
  return new SluiceError('SLUICE-SIMULATION-FAILED', `job ${job} does not come to its end, though nothing goes wrong around it: ${why}`, {
    hint: 'Let it run through with `sluice run` first. What fails there fails here.',
    facts: { job, problems },
  });
}

function empty(job: string, sinks: number): SluiceError {
  const what = sinks === 0 ? 'has no sink that shows records' : 'shows no record';
  return new SluiceError('SLUICE-SIMULATION-EMPTY', `job ${job} ${what}: there is nothing to compare`, {
    hint: 'Read more records of each split (`--records`, `recordsPerSplit`), or give the job a sink whose records can be seen.',
    facts: { job },
  });
}
