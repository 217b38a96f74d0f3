/** One seed's world, put together: what is drawn for it, who lives in it, and who looks at it. */
import { expectedShards } from '../../checkpoint/completeness.ts';
import { errorCode, errorMessage } from '../../base/errors.ts';
import { readPlan } from '../../coordinator/coordinator-deps.ts';
import type { CompiledJob } from '../../dsl/compile-job.ts';
import type { OperatorRegistry } from '../../operators/operator.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import type { Logger } from '../../ports/system.ts';
import type { RuntimeSettings } from '../../runtime/runtime-deps.ts';
import { defaultRuntimeSettings } from '../../runtime/runtime-settings.ts';
import { SettingsDraw, times, type Circumstances, type SimulatedMode } from './circumstances.ts';
import { Containers, simulatedFault } from './container.ts';
import { Decisions } from './decisions.ts';
import { drawRates, drawnFaults, listedFaults, type Fault, type FaultSource } from './fault.ts';
import { Liveness } from './liveness.ts';
import { Oracles } from './oracles.ts';
import { People } from './people.ts';
import { scriptedMs, type Scripted } from './scripted.ts';
import { Services } from './services.ts';
import { SimStores, type SimStoresOptions } from './sim-stores.ts';
import { Trace } from './trace.ts';
import { VirtualTime } from './virtual-time.ts';

export interface SimulationOptions extends Circumstances, Scripted {
  readonly seed: number;
  /** The job at some parallelism, so that restores can rescale: versions from 1 on. */
  readonly compile: (version: number) => CompiledJob;
  readonly versions: number;
  /** The user functions of a version, made anew. */
  readonly functionsOf: (planHash: string) => OperatorRegistry;
  readonly sources: Readonly<Record<string, SplitReader>>;
  /** One of them is drawn wherever checkpoint settings are. */
  readonly modes: readonly SimulatedMode[];
  /** Names under which the sinks' records are kept. */
  readonly sinks: readonly string[];
  /** Just these faults, instead of those that the seed draws. */
  readonly faults?: readonly Fault[];
  /** Nobody asks for anything, and nothing fails: what the others are compared with. */
  readonly calm?: boolean;
  readonly log?: (line: string) => void;
}

export interface SimulatedWorld {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly decisions: Decisions;
  readonly containers: Containers;
  readonly stores: SimStores;
  readonly services: Services;
  readonly people: People;
  readonly oracles: Oracles;
  readonly liveness: Liveness;
  readonly draw: SettingsDraw;
  /** What was logged last of something that went wrong by itself. */
  readonly trouble: () => string | null;
  /** How long things go wrong. */
  readonly faultyMs: number;
}

/** How long a silent source is silent once everything works. */
const silentMs = 30_000;

/** `problem`: told of what is wrong that no look from outside would see. */
export function newWorld(options: SimulationOptions, problem: (what: string) => void): SimulatedWorld {
  const { seed, calm = false, compile, versions } = options;
  const time = new VirtualTime();
  const trace = new Trace();
  const decisions = new Decisions(seed);
  const containers = newContainers(options, { time, trace, decisions });
  const faultyMs = calm ? 0 : options.script === undefined ? 3_000 + decisions.below('faulty', 12_000) : scriptedMs;
  const isSilent = (): boolean => options.silent === true && time.nowMs > faultyMs / 2 && time.nowMs < faultyMs + silentMs;
  const sources = paced(options, decisions, isSilent);
  let trouble: string | null = null;
  const logger = loggerOf(options, time, trace, (what) => (trouble = what));
  const sweepMs = options.sweepMs ?? times.sweep;
  const timeLeft = timeLeftOf(options, { time, decisions, containers });
  const losing = options.losing === true;
  const stores = new SimStores({ time, decisions, containers, sources, logger, sweepMs, losing, timeLeft });
  const visibilityMs = decisions.chance('visibility/short', 0.6) || options.script !== undefined ? 1_000 : times.life + 500;
  const services = new Services({
    world: stores,
    time,
    decisions,
    containers,
    logger,
    settings: drawRuntime(options, decisions),
    visibilityMs,
    lifeMs: times.life,
    functionsOf: options.functionsOf,
    // Shards may read a mixture; the coordinator reads one record.
    onError: (error) => {
      if (errorCode(error) === 'SLUICE-INVARIANT') problem(`the coordinator meets a broken rule: ${errorMessage(error)}`);
    },
  });
  const draw = new SettingsDraw(decisions, options.modes, options.checkpoint);
  const people = new People({ services, world: stores, time, decisions, trace, containers, compile, draw, versions });
  const oracles = new Oracles(stores, draw);
  const liveness = new Liveness({
    visibilityMs,
    sweepMs,
    patienceMs: options.patienceMs ?? 0,
    flows: () => stores.stores.flows.running(),
    shardsOf: async ({ plan }) => expectedShards((await readPlan(stores.stores, plan)).plan).length,
    isCareful: async ({ job, plan }) => {
      const shards = expectedShards((await readPlan(stores.stores, plan)).plan);
      const records = await Promise.all(shards.map((shard) => stores.stores.shards.read({ job, ...shard })));
      return records.some((record) => record?.suspects !== undefined);
    },
    checkpoints: () => draw.current,
  });
  return { time, trace, decisions, containers, stores, services, people, oracles, liveness, draw, faultyMs, trouble: () => trouble };
}

function newContainers(options: SimulationOptions, parts: Pick<SimulatedWorld, 'time' | 'trace' | 'decisions'>): Containers {
  const { decisions } = parts;
  const containers = new Containers({
    ...parts,
    faults: faultsOf(options, decisions),
    lifeMs: times.life,
    latencyMs: times.latency,
    stallMs: times.stall,
    stallLeastMs: options.stallLeastMs ?? 0,
  });
  containers.active = options.calm !== true;
  return containers;
}

/** A function that is told to have little time ends itself after every other step; it is ended by force no sooner than others. */
function timeLeftOf({ calm, toldMs }: SimulationOptions, { time, decisions, containers }: TimeParts): SimStoresOptions['timeLeft'] {
  const isTold = toldMs !== undefined || (calm !== true && decisions.chance('time/told', toldShare));
  if (!isTold) return undefined;
  const faultyMs = toldMs ?? decisions.pick('time/of an invocation', [times.life, 200, 60]);
  const wholeMs = (): number => (toldMs !== undefined || containers.active ? faultyMs : times.life);
  return ({ invokedAtMs }) => wholeMs() - (invokedAtMs === null ? 0 : time.nowMs - invokedAtMs);
}

function faultsOf({ faults, rates, watch }: SimulationOptions, decisions: Decisions): FaultSource {
  if (faults !== undefined) return listedFaults(faults);
  const drawn = drawnFaults(decisions, { ...drawRates(decisions), ...rates });
  return watch?.(drawn, decisions) ?? drawn;
}

/** A job that goes on for a minute: what is to be collected, or to follow, has the time. */
const longShare = 0.03;
const longRun = { sourceRecordsPerCommit: 1, sourceIdleMs: 700 };

function drawRuntime({ calm, silent, settings }: SimulationOptions, decisions: Decisions): RuntimeSettings {
  const jobRecordCacheMs = decisions.pick('runtime/record cache', [0, 100, 1_000]);
  // Behind a silence there is not the time.
  const isLong = calm !== true && silent !== true && decisions.chance('runtime/long', longShare);
  // Orders are seen between the records of an envelope too, as often as a cached job record allows.
  const recordsPerLook = decisions.pick('runtime/look', [1, 1, 2]);
  return { ...runtimeSettings, jobRecordCacheMs, recordsPerLook, ...(isLong ? longRun : {}), ...settings };
}

const runtimeSettings: Omit<RuntimeSettings, 'jobRecordCacheMs' | 'recordsPerLook'> = {
  ...defaultRuntimeSettings,
  sourceRecordsPerCommit: 7,
  backlogMessagesPerShard: 12,
  backPressureSleepMs: 20,
  backlogCheckMs: 0,
  sourceIdleMs: 50,
  stateCacheKeys: 3,
  lookEveryMs: 0,
  // Processes end here by chance, and no record is the cause.
  triesAlone: Number.MAX_SAFE_INTEGER,
};

type TimeParts = Pick<SimulatedWorld, 'time' | 'decisions' | 'containers'>;

/** Runs in which functions know how much time they have left. */
const toldShare = 0.4;

/** Now and then there is nothing yet, so that a job lasts longer than its records take. */
function paced({ sources, calm }: SimulationOptions, decisions: Decisions, isSilent: () => boolean): SimulationOptions['sources'] {
  if (calm === true) return sources;
  const pace = (name: string, reader: SplitReader): SplitReader => ({
    ...reader,
    splits: (source) => reader.splits(source),
    read: (source, split, position, options) =>
      decisions.chance(`pace/${name}/${split}`, 0.6) || isSilent()
        ? Promise.resolve({ values: [], position, ended: false })
        : reader.read(source, split, position, options),
  });
  return Object.fromEntries(Object.entries(sources).map(([name, reader]) => [name, pace(name, reader)]));
}

function troubleOf(message: string, facts: Readonly<Record<string, unknown>> = {}): string {
  const { operator, error } = facts as { readonly operator?: string; readonly error?: string };
  return error === undefined ? message : `${operator === undefined ? '' : `operator ${operator}: `}${error}`;
}

function loggerOf({ log }: SimulationOptions, time: VirtualTime, trace: Trace, onTrouble: (what: string) => void): Logger {
  return {
    log: (level, message, facts) => {
      if (level === 'debug') return;
      log?.(`${time.nowMs.toFixed(1)} ${level} ${message} ${JSON.stringify(facts)}`);
      if (level === 'error') trace.tell(time.nowMs, 'log', `${message} ${JSON.stringify(facts)}`);
      if (level !== 'info' && facts?.['code'] !== simulatedFault) onTrouble(troubleOf(message, facts));
    },
  };
}
