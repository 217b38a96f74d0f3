/**
 * One job in this process: made, resumed or restored, and run to its end. What `sluice run` stands on.
 *
 * RN1. Run again with the same data directory, a job goes on where it was; with another plan or other code it goes on from its newest checkpoint, checked
 *      first. Whatever it is run with anew holds from now on; settings that were changed while it ran stay.
 * RN2. A data directory holds one job that has not ended.
 * RN3. One that has lost objects goes back to its newest whole checkpoint, or is refused (lost-objects.ts).
 */
import { createFileStores } from '../adapters/fs/file-stores.ts';
import { createFsSavepointFolders } from '../adapters/fs/savepoint-folder.ts';
import { createLocalConnectors } from '../adapters/connectors/local-connectors.ts';
import { createMemoryStores, type LocalStores } from '../adapters/memory/memory-stores.ts';
import { SluiceError } from '../base/errors.ts';
import type { CheckpointId, JobId } from '../base/ids.ts';
import { settingsOfNextRun, type CheckpointSettings } from '../checkpoint/checkpoint-settings.ts';
import { isTerminal, isWorking } from '../checkpoint/job-status.ts';
import { readConfiguration } from '../checkpoint/read-configuration.ts';
import { changeSettings } from '../coordinator/change-settings.ts';
import { readPlan } from '../coordinator/coordinator-deps.ts';
import { restoreCheckpoint, restoreSavepoint } from '../coordinator/restore-requests.ts';
import type { NewPlan } from '../coordinator/new-plan.ts';
import { startJob } from '../coordinator/start-job.ts';
import { kickUnstarted } from '../coordinator/sweep.ts';
import type { CompiledJob } from '../dsl/compile-job.ts';
import type { JobConfiguration } from '../model/job-configuration.ts';
import type { JobRecord } from '../model/job-record.ts';
import type { Connectors } from '../ports/connectors.ts';
import { inProcessSettings } from './in-process-settings.ts';
import { LocalEngine, newJobId, type LocalSystem } from './local-engine.ts';
import { wayBack } from './lost-objects.ts';
import { savepointAt } from './retained-checkpoint.ts';
import { needsRestore, nothingChanged, sinceLastRun, type SinceLastRun } from './since-last-run.ts';
import { watchedJobs } from './watched-jobs.ts';

export interface RunJobOptions extends LocalSystem {
  readonly program: CompiledJob;
  /** Digest of the job's own modules, where it is known. */
  readonly code?: string;
  /** Undefined = in memory. */
  readonly dataDir?: string;
  /** A savepoint's folder or metadata file, or a retained checkpoint: see retained-checkpoint.ts. */
  readonly fromSavepoint?: string;
  readonly allowNonRestoredState?: boolean;
  /** As they hold: of all that the job and the command line say. */
  readonly checkpoint: CheckpointSettings;
  /** By Flink's names, from the command line: goes before what the job itself says. Read for the restart strategy only. */
  readonly configuration?: JobConfiguration;
  /** For tests and the bench: other connectors, stores that are open already. */
  readonly connectors?: Connectors;
  readonly stores?: LocalStores;
}

type Origin = 'started' | 'resumed' | 'restored' | 'ended-before';

export interface RunningJob {
  readonly job: JobId;
  readonly engine: LocalEngine;
  readonly stores: LocalStores;
  /** How it came to run, for people. */
  readonly origin: Origin;
  /** The checkpoint of its own that it was restored from; 0 = it begins anew, because none was complete, null = it was not. */
  readonly restoredFrom: CheckpointId | null;
  readonly sinceLastRun: SinceLastRun;
  /** Objects because of whose loss it goes back. */
  readonly lost: LocalStores['lost'];
  /** Resolves when the job has reached a terminal status; rejects when the data directory cannot be written any more. */
  readonly ended: Promise<JobRecord>;
  /** Ends what is in hand and takes nothing more; state is kept, and the job goes on when it is run again. */
  close(): Promise<void>;
}

export async function runJob(given: RunJobOptions): Promise<RunningJob> {
  // What is wrong with the options is said before anything is opened.
  newPlan(given);
  const options = await withSavepoint(given);
  const opened = options.stores ?? (await openStores(options));
  const { stores, changes } = watchedJobs(opened);
  const connectors = options.connectors ?? createLocalConnectors({ durable: () => stores.durable() });
  const engine = new LocalEngine({ ...options, stores, connectors, savepoints: createFsSavepointFolders() });
  try {
    const before = (await stores.jobs.list()).find((record) => !isTerminal(record.status)) ?? (await stores.jobs.list())[0];
    const back = before !== undefined && goesOn(before, options) ? await wayBack(engine.coordinator, stores, before) : null;
    await engine.resumeFlows();
    const { record, origin, sinceLast } = await begin(engine, stores, options, { before, back });
    const ended = Promise.race([changes.until(record.job, ({ status }) => isTerminal(status)), stores.broken]);
    ended.catch(() => undefined);
    if (origin !== 'ended-before') await runProgram(engine, options, record);
    return {
      ...{ job: record.job, engine, stores, origin, ended },
      restoredFrom: origin === 'restored' && sinceLast !== undefined ? record.completed : null,
      sinceLastRun: sinceLast ?? nothingChanged,
      lost: back === null ? [] : stores.lost,
      close: () => engine.close(),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** A retained checkpoint becomes a savepoint first. */
async function withSavepoint(options: RunJobOptions): Promise<RunJobOptions> {
  if (options.fromSavepoint === undefined) return options;
  const connectors = options.connectors ?? createLocalConnectors();
  return { ...options, fromSavepoint: await savepointAt(options.fromSavepoint, { ...options, connectors }) };
}

function openStores({ dataDir, clock, timers, random, logger }: RunJobOptions): Promise<LocalStores> | LocalStores {
  if (dataDir === undefined) return createMemoryStores({ clock, timers, random });
  return createFileStores({ directory: dataDir, clock, timers, random, logger });
}

interface Begun {
  readonly record: JobRecord;
  readonly origin: Origin;
  readonly sinceLast?: SinceLastRun;
}

/** Not where it has ended, or another one begins in its place. */
function goesOn({ status }: JobRecord, { fromSavepoint }: RunJobOptions): boolean {
  return isWorking(status) || (status === 'FAILED' && fromSavepoint === undefined);
}

/** `back`: the checkpoint that the job has to go back to, because something is lost. */
interface Found {
  readonly before: JobRecord | undefined;
  readonly back: CheckpointId | 'newest' | null;
}

async function begin(engine: LocalEngine, stores: LocalStores, options: RunJobOptions, { before, back }: Found): Promise<Begun> {
  const { fromSavepoint } = options;
  const underWay = (await stores.flows.running()).find(({ flow }) => flow === 'restore');
  if (underWay !== undefined) {
    const { job, trigger } = underWay.data as { readonly job: JobId; readonly trigger: string };
    return { ...(await goOn(engine, options, await restored(engine, job, trigger))), origin: 'restored' };
  }
  if (fromSavepoint !== undefined && before !== undefined && (await cameFrom(engine, before, fromSavepoint))) {
    return isTerminal(before.status) ? { record: before, origin: 'ended-before' } : goOn(engine, options, before, back);
  }
  if (fromSavepoint !== undefined) return { record: await fromThe(engine, options, fromSavepoint, before), origin: 'restored' };
  if (before === undefined) return { record: await startNew(engine, options), origin: 'started' };
  if (before.status === 'FINISHED' || before.status === 'CANCELED') return { record: before, origin: 'ended-before' };
  return goOn(engine, options, before, back);
}

/** With what it is run with now. */
async function goOn(engine: LocalEngine, options: RunJobOptions, before: JobRecord, back: Found['back'] = null): Promise<Begun> {
  const stored = await readPlan(engine.coordinator, before.plan);
  const now = { ...newPlan(options), settings: settingsOfNextRun(stored, options.checkpoint), given: options.checkpoint };
  const sinceLast = sinceLastRun({ planHash: before.planHash, stored }, now);
  // One that is being canceled ends as it is.
  if (before.status === 'CANCELLING') return { record: before, origin: 'resumed' };
  if (back !== null || before.status === 'FAILED' || needsRestore(sinceLast)) {
    return {
      record: await restoreTo(engine, options, { job: before.job, newPlan: now, checkpoint: back ?? 'newest' }),
      origin: 'restored',
      sinceLast,
    };
  }
  const { settings, given, restart, code } = now;
  const known = { ...(restart === undefined ? {} : { restart }), ...(code === undefined ? {} : { code }) };
  const { record } = await changeSettings(engine.coordinator, before.job, () => ({ settings, given, ...known }));
  // A process that ended while it started the job has not woken all: the sweep would, some time.
  await kickUnstarted(engine.coordinator, record);
  return { record, origin: 'resumed', sinceLast };
}

function newPlan({ program: { plan, planHash, configuration }, checkpoint, code, ...given }: RunJobOptions): NewPlan {
  const { restart } = readConfiguration(configuration, given.configuration);
  return { plan, planHash, settings: checkpoint, restart, ...(code === undefined ? {} : { code }) };
}

async function startNew(engine: LocalEngine, options: RunJobOptions): Promise<JobRecord> {
  const job = newJobId(options.random);
  const { record } = await startJob(engine.coordinator, { job, name: options.program.plan.name, ...newPlan(options) });
  return record;
}

/** Under the plan that is given now. */
async function restoreTo(
  engine: LocalEngine,
  { random, allowNonRestoredState = false }: RunJobOptions,
  order: { readonly job: JobId; readonly checkpoint: CheckpointId | 'newest'; readonly newPlan: NewPlan },
): Promise<JobRecord> {
  const trigger = random.hex(32);
  await restoreCheckpoint(engine.coordinator, { ...order, trigger, publishedSeen: null, allowOtherJob: false, allowNonRestoredState });
  return restored(engine, order.job, trigger);
}

async function fromThe(engine: LocalEngine, options: RunJobOptions, location: string, before: JobRecord | undefined): Promise<JobRecord> {
  if (before !== undefined && !isTerminal(before.status)) throw jobExists(before);
  const job = newJobId(options.random);
  const trigger = options.random.hex(32);
  const allowNonRestoredState = options.allowNonRestoredState ?? false;
  const order = { job, trigger, location, newPlan: newPlan(options), allowNonRestoredState, allowOtherJob: false };
  await restoreSavepoint(engine.coordinator, order);
  return restored(engine, job, trigger);
}

/** The same command again after a kill: the job that the savepoint was restored into goes on. */
async function cameFrom(engine: LocalEngine, { job }: JobRecord, location: string): Promise<boolean> {
  const operations = await engine.coordinator.operations.list(job);
  return operations.some(({ kind, request }) => kind === 'restore' && request['location'] === location);
}

/** Waits for a restore's flow; its failure is the caller's. */
async function restored(engine: LocalEngine, job: JobId, trigger: string): Promise<JobRecord> {
  for (;;) {
    await engine.flowsSettled();
    const operation = await engine.coordinator.operations.read(job, trigger);
    if (operation !== undefined && operation.failure !== null) {
      const { code, message, hint } = operation.failure;
      throw new SluiceError(code, message, { hint, facts: { job } });
    }
    const record = await engine.coordinator.jobs.read(job);
    if (operation?.status === 'COMPLETED' && record !== undefined) return record;
    await engine.pause(10);
  }
}

function jobExists({ job, name, status }: JobRecord): SluiceError {
  return new SluiceError('SLUICE-JOB-EXISTS', `the data directory holds job ${name}, which is ${status}`, {
    hint: 'Restore the savepoint into another data directory, or stop or cancel this job first.',
    facts: { job, status },
  });
}

async function runProgram(engine: LocalEngine, { program }: RunJobOptions, record: JobRecord): Promise<void> {
  // The stored plan, not the compiled one: a restore may have adopted the snapshot's max parallelism.
  const { plan } = await readPlan(engine.coordinator, record.plan);
  engine.run({
    job: record.job,
    plan,
    planHash: record.planHash,
    planKey: record.plan,
    registry: program.registry,
    settings: inProcessSettings,
  });
}
