/**
 * One seed, one run: the shipped runtime and coordinator in a world of containers, queues and stores on virtual time.
 *
 * First a phase with faults, restores at other parallelism, savepoints and stops; then a phase in which everything works, and the job must come to its end.
 */
import type { CheckpointSettings } from '../../checkpoint/checkpoint-settings.ts';
import { defaultCheckpointSettings } from '../../checkpoint/checkpoint-settings.ts';
import { errorCode, errorMessage } from '../../base/errors.ts';
import { startJob } from '../../coordinator/start-job.ts';
import type { CompiledJob } from '../../dsl/compile-job.ts';
import { newJobId } from '../../local/local-engine.ts';
import type { OperatorRegistry } from '../../operators/operator.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import type { Logger } from '../../ports/system.ts';
import type { RuntimeSettings } from '../../runtime/runtime-deps.ts';
import { defaultRuntimeSettings } from '../../runtime/runtime-settings.ts';
import { Containers } from './container.ts';
import { Decisions } from './decisions.ts';
import { drawRates, drawnFaults, listedFaults, type Fault, type FaultRates } from './fault.ts';
import { Oracles } from './oracles.ts';
import { Operator } from './operator-of-jobs.ts';
import { Services } from './services.ts';
import { SimStores } from './sim-stores.ts';
import { Trace, type TraceLine } from './trace.ts';
import { VirtualTime } from './virtual-time.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** The job at a parallelism, so that restores can rescale. */
  readonly compile: (parallelism: number) => CompiledJob;
  /** The user functions of a version, made anew. */
  readonly functionsOf: (planHash: string) => OperatorRegistry;
  readonly sources: Readonly<Record<string, SplitReader>>;
  /** Just these faults, instead of those that the seed draws. */
  readonly faults?: readonly Fault[];
  readonly settings?: Partial<RuntimeSettings>;
  readonly checkpoint?: Partial<CheckpointSettings>;
  /** Nobody asks for anything, and nothing fails: what the others are compared with. */
  readonly calm?: boolean;
  /** How long everything may take once it works. */
  readonly healedMs?: number;
  /** Instead of what the seed draws. */
  readonly rates?: Partial<FaultRates>;
  /** From half of the faulty phase on sources find nothing for a while. */
  readonly quiet?: boolean;
  /** A queue loses a message: the job may stand still, but what it shows at its end must be right. */
  readonly losing?: boolean;
  readonly log?: (line: string) => void;
}

export interface SimulationResult {
  readonly seed: number;
  readonly hash: string;
  readonly problems: readonly string[];
  /** Nothing was wrong, but it did not come to its end. */
  readonly stoodStill: boolean;
  readonly faults: readonly Fault[];
  readonly lines: readonly TraceLine[];
  readonly calls: number;
  readonly virtualMs: number;
  readonly checkpoints: number;
  readonly restores: number;
  readonly savepoints: number;
  /** Records that became visible, of the sink of that name. */
  readonly published: (name: string) => readonly unknown[];
}

const lifeMs = 3_000;
const latencyMs = 10;
const stallMs = 2_500;
/** How long a quiet source is quiet once everything works. */
const quietMs = 30_000;
/** How long everything may take once it works. */
const healedMs = 180_000;

export async function runSimulation(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, calm = false } = options;
  const decisions = new Decisions(seed);
  const failures: string[] = [];
  const time = new VirtualTime();
  const trace = new Trace();
  const faults =
    options.faults === undefined ? drawnFaults(decisions, { ...drawRates(decisions), ...options.rates }) : listedFaults(options.faults);
  const containers = new Containers({ time, decisions, faults, trace, lifeMs, latencyMs, stallMs });
  const logger = loggerOf(options, time, trace);
  const faultyMs = calm ? 0 : 3_000 + decisions.below('faulty', 12_000);
  const isQuiet = (): boolean => options.quiet === true && time.nowMs > faultyMs / 2 && time.nowMs < faultyMs + quietMs;
  const world = new SimStores({
    time,
    decisions,
    containers,
    sources: paced(options, decisions, isQuiet),
    logger,
    lifeMs,
    losing: options.losing === true,
  });
  const visibilityMs = decisions.chance('visibility/short', 0.6) ? 1_000 : lifeMs + 500;
  const settings = { ...runtimeSettings, ...options.settings };
  const services = new Services({
    world,
    time,
    decisions,
    containers,
    logger,
    settings,
    visibilityMs,
    lifeMs,
    functionsOf: options.functionsOf,
    // Shards may read a mixture; the coordinator reads one record.
    onError: (error) => {
      if (errorCode(error) === 'SLUICE-INVARIANT') failures.push(`the coordinator meets a broken rule: ${errorMessage(error)}`);
    },
  });
  containers.active = !calm;
  const checkpoint = { ...defaultCheckpointSettings, intervalMs: 300, timeoutMs: 5_000, ...options.checkpoint };
  const operator = new Operator({ services, world, time, decisions, trace, containers, compile: options.compile, checkpoint });
  const oracles = new Oracles(world);
  let finished = false;
  const life = async (): Promise<void> => {
    await services.start();
    await operator.begin(
      (deps, job) => startJob(deps, job),
      newJobId({ hex: (digits) => decisions.hex('job', digits), fraction: () => 0 }),
    );
    if (!calm) await operator.disturb();
  };
  time.after(faultyMs, () => {
    containers.active = false;
    trace.tell(time.nowMs, 'world', 'from now on everything works');
  });
  life().then(
    () => (finished = true),
    (error: unknown) => failures.push(`whoever runs the job gave up: ${String((error as Error).stack)}`),
  );
  const deadline = faultyMs + (options.healedMs ?? healedMs);
  let seen: { readonly job: string; readonly status: string } | undefined;
  const watch = async (): Promise<void> => {
    for (;;) {
      await time.sleep(250);
      const record = await operator.record();
      seen = record;
      if (record !== undefined) failures.push(...(await oracles.look(record, time.nowMs > faultyMs ? time.clock.now() : null)));
      // Where a message is lost that is the right answer.
      if (record?.status === 'FAILED' && options.losing !== true) failures.push(`the job failed: ${JSON.stringify(record?.failure)}`);
    }
  };
  void watch();
  const isDone = (): boolean => finished && seen?.job === operator.job && seen.status === 'FINISHED';
  await time.run(() => failures.length > 0 || time.nowMs > deadline || isDone());
  const stoodStill = failures.length === 0 && !isDone();
  if (stoodStill) failures.push(`not finished ${deadline - faultyMs} ms after everything worked: ${await operator.describe()}`);
  return {
    seed,
    hash: trace.hash,
    problems: failures,
    stoodStill,
    faults: containers.taken,
    lines: trace.lines,
    calls: trace.calls,
    virtualMs: time.nowMs,
    checkpoints: (await operator.record())?.counts.completed ?? 0,
    restores: operator.restores,
    savepoints: operator.savepoints,
    published: (name) => world.visible(name),
  };
}

const runtimeSettings: RuntimeSettings = {
  ...defaultRuntimeSettings,
  sourceRecordsPerCommit: 7,
  backlogMessagesPerShard: 12,
  backPressureSleepMs: 20,
  backlogCheckMs: 0,
  sourceIdleMs: 50,
  userCodeTries: Number.MAX_SAFE_INTEGER,
  stateCacheKeys: 3,
  jobRecordCacheMs: 100,
};

/** Now and then there is nothing yet, so that a job lasts longer than its records take. */
function paced({ sources, calm }: SimulationOptions, decisions: Decisions, isQuiet: () => boolean): Readonly<Record<string, SplitReader>> {
  if (calm === true) return sources;
  const pace = (name: string, reader: SplitReader): SplitReader => ({
    ...reader,
    splits: (source) => reader.splits(source),
    read: (source, split, position, options) =>
      decisions.chance(`pace/${name}/${split}`, 0.6) || isQuiet()
        ? Promise.resolve({ values: [], position, ended: false })
        : reader.read(source, split, position, options),
  });
  return Object.fromEntries(Object.entries(sources).map(([name, reader]) => [name, pace(name, reader)]));
}

function loggerOf({ log }: SimulationOptions, time: VirtualTime, trace: Trace): Logger {
  return {
    log: (level, message, facts) => {
      if (level === 'debug') return;
      log?.(`${time.nowMs.toFixed(1)} ${level} ${message} ${JSON.stringify(facts)}`);
      if (level === 'error') trace.tell(time.nowMs, 'log', `${message} ${JSON.stringify(facts)}`);
    },
  };
}
