/**
 * What the scenarios share: an input that a test lets through bit by bit, a fault that strikes once, and the whole engine in this process.
 *
 * Scenarios are those of Flink's own tests. Here a failing user function repeats its batch and takes the job nowhere back; so that state, positions and
 * output really go back to a checkpoint, the same scenarios are also run with a restore instead of the exception.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { createCollectSink, type CollectSink } from '../../lib/adapters/connectors/collect-sink.ts';
import { createLocalConnectors } from '../../lib/adapters/connectors/local-connectors.ts';
import { createMemoryIntakeLog } from '../../lib/adapters/memory/intake-log.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { createMetrics } from '../../lib/adapters/system/metrics.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { operatorUid } from '../../lib/base/ids.ts';
import { defaultCheckpointSettings, type CheckpointSettings } from '../../lib/checkpoint/checkpoint-settings.ts';
import { inFlightChannels } from '../../lib/checkpoint/in-flight.ts';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import { restoreCheckpoint } from '../../lib/coordinator/restore-requests.ts';
import { stopWithSavepoint, takeSavepoint } from '../../lib/coordinator/savepoint-requests.ts';
import type { CompiledJob, Source } from '../../lib/index.ts';
import { runJob, type RunJobOptions, type RunningJob } from '../../lib/local/run-job.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import type { Connectors, SplitReader } from '../../lib/ports/connectors.ts';
import type { IntakeLog } from '../../lib/ports/intake-log.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import type { OperationRecord } from '../../lib/ports/records.ts';
import { overriding } from './faulty-stores.ts';
import { settingsOfScenario, type Mode } from './scenario.ts';

export interface GatedInput<T> {
  readonly source: Source<T>;
  /** Lets the first so-many of every split through, as a share of all. A closed gate looks like a source that has nothing now. */
  readonly open: (share: number) => void;
  /** The reader throws once, when it would hand out the record of that index of any split. */
  readonly failOnceAt: (index: number) => void;
}

type Openable = Pick<GatedInput<unknown>, 'open'>;

interface GatedSplits {
  readonly splits: readonly (readonly unknown[])[];
  readonly batch: number;
  readonly pauseMs: number;
  share: number;
  failAt: number | undefined;
}

const gates = new Map<string, GatedSplits>();

/** `batch`: records of one read, so that there are many commits. `pauseMs`: each read takes so long, so that several inputs get out of step. */
export function gatedInput<T>(name: string, splits: readonly (readonly T[])[], batch = 97, pauseMs = 0): GatedInput<T> {
  const gate: GatedSplits = { splits, batch, pauseMs, share: 0, failAt: undefined };
  gates.set(name, gate);
  return {
    source: { name, connector: { connector: 'gated', options: { name }, guarantee: 'exactly-once' } },
    open: (share) => (gate.share = share),
    failOnceAt: (index) => (gate.failAt = index),
  };
}

const gatedReader: SplitReader = {
  splits: async ({ options }) => gateOf(options).splits.map((_, index) => String(index)),
  async read({ options }, split, position, { recordsMax }) {
    const gate = gateOf(options);
    const all = gate.splits[Number(split)]!;
    const from = (position as number | null) ?? 0;
    const open = Math.floor(all.length * gate.share);
    const to = Math.max(from, Math.min(open, from + Math.min(recordsMax, gate.batch)));
    if (gate.failAt !== undefined && gate.failAt >= from && gate.failAt < to) {
      gate.failAt = undefined;
      throw new Error('the input failed, this once');
    }
    if (gate.pauseMs > 0) await sleep(gate.pauseMs);
    return { values: all.slice(from, to), position: to, ended: to === all.length && gate.share >= 1 };
  },
};

function gateOf(options: Readonly<Record<string, unknown>>): GatedSplits {
  return gates.get(options['name'] as string)!;
}

/** `batch`: the user function throws, and the batch is tried again. `restore`: the job goes back to its newest checkpoint just then. */
export type Failure = 'batch' | 'restore';

/** Does something once, where user code meets it after it was armed. */
export class Fault {
  #deed: (() => void) | undefined;
  struck = 0;
  /** How often user code came to the place, from the arming on: more than once, because what it did there is done again. */
  met = 0;

  arm(deed: () => void): void {
    this.#deed = deed;
    this.struck = 0;
    this.met = 0;
  }

  meet(): void {
    this.met++;
    const deed = this.#deed;
    this.#deed = undefined;
    if (deed === undefined) return;
    this.struck++;
    deed();
  }
}

export interface StartOptions
  extends Partial<CheckpointSettings>, Pick<RunJobOptions, 'fromSavepoint' | 'allowNonRestoredState' | 'stores' | 'code'> {
  /** Inside the folder of the test; without it all is in memory. */
  readonly dataDir?: string;
  /** Beside those of a laptop, or in their place. */
  readonly sinks?: Connectors['sinks'];
}

export class Run {
  readonly running: RunningJob;
  readonly #folder: string;

  /** Envelopes that had been sent and not taken, in the checkpoint or savepoint that had most of them. */
  inFlightMax = 0;

  constructor(running: RunningJob, folder: string) {
    this.running = running;
    this.#folder = folder;
    const { coordinator } = running.engine;
    const { objects } = coordinator;
    const createIfAbsent: ObjectStore['createIfAbsent'] = async (key, bytes) => {
      if (key.includes('/manifests/')) this.#meet(decodeManifest(bytes, key));
      return objects.createIfAbsent(key, bytes);
    };
    Object.assign(coordinator, { objects: overriding(objects, { createIfAbsent }) });
  }

  #meet(manifest: Manifest): void {
    const inFlight = inFlightChannels(manifest).reduce((sum, { after, upTo }) => sum + upTo - after, 0);
    this.inFlightMax = Math.max(this.inFlightMax, inFlight);
  }

  async record(): Promise<JobRecord> {
    return (await this.running.stores.jobs.read(this.running.job))!;
  }

  /** Opens the gates half-way to `share` and then to it; a checkpoint completes after each step. So a fault after it does not find the beginning. */
  async twoCheckpoints(inputs: readonly Openable[], share: number): Promise<void> {
    for (const step of [share / 2, share]) await this.checkpointAfter(() => inputs.forEach(({ open }) => open(step)));
  }

  /** `change` must bring something for a checkpoint to hold: an idle job makes none. */
  async checkpointAfter(change: () => void): Promise<void> {
    const { completed } = (await this.record()).counts;
    change();
    await until(async () => (await this.record()).counts.completed > completed);
  }

  /** Waits until all that has been done is in a completed checkpoint. */
  async settled(): Promise<void> {
    await until(async () => {
      const { dirtyEpoch, completed } = await this.record();
      return completed >= dirtyEpoch;
    });
  }

  /** Waits until the source has committed so many records: a barrier that comes now is behind all of them. */
  async untilRead(uid: string, records: number, shards = 1): Promise<void> {
    const { stores, job } = this.running;
    const addresses = Array.from({ length: shards }, (_, shard) => ({ job, uid: operatorUid(uid), shard }));
    await until(async () => {
      const found = await Promise.all(addresses.map((address) => stores.shards.read(address)));
      return found.reduce((sum, record) => sum + (record?.recordsIn ?? 0), 0) >= records;
    });
  }

  /** Arms the fault, opens the gates to nine tenths, and when it has struck and been got over lets the job come to its end. */
  async sufferAndFinish(failure: Failure, fault: Fault, inputs: readonly Openable[]): Promise<JobRecord> {
    let restored: Promise<void> | undefined;
    fault.arm(() => {
      if (failure === 'batch') throw new Error('the function failed, this once');
      restored = this.restore();
    });
    for (const input of inputs) input.open(0.9);
    await until(async () => fault.struck === 1);
    await restored;
    for (const input of inputs) input.open(1);
    const record = await this.finished();
    expect(fault.struck).toBe(1);
    expect(fault.met).toBeGreaterThan(1);
    // A failing function repeats its batch; it never takes the job back.
    expect(record).toMatchObject(failure === 'batch' ? { attempt: 1, counts: { restored: 0 } } : { attempt: 2, counts: { restored: 1 } });
    return record;
  }

  async savepoint(then: 'run-on' | 'cancel' = 'run-on'): Promise<string> {
    const { engine, job } = this.running;
    const trigger = systemRandom.hex(32);
    await takeSavepoint(engine.coordinator, { job, trigger, directory: this.#folder, then });
    return (await this.#operation(trigger)).location!;
  }

  async stop(stop: 'drain' | 'suspend'): Promise<string> {
    const { engine, job } = this.running;
    const trigger = systemRandom.hex(32);
    await stopWithSavepoint(engine.coordinator, { job, trigger, directory: this.#folder, stop });
    const { location } = await this.#operation(trigger);
    await this.finished();
    return location!;
  }

  /** Gives the attempt up, whatever it is doing, and goes on from the newest completed checkpoint or a chosen one. */
  async restore(checkpoint: number | 'newest' = 'newest'): Promise<void> {
    const { engine, job } = this.running;
    const trigger = systemRandom.hex(32);
    const how = { publishedSeen: null, newPlan: null, allowNonRestoredState: false, allowOtherJob: false };
    await restoreCheckpoint(engine.coordinator, { job, trigger, checkpoint, ...how });
    await this.#operation(trigger);
  }

  /** Waits for the end, which must be a good one, and closes. */
  async finished(): Promise<JobRecord> {
    return this.#ended('FINISHED');
  }

  async canceled(): Promise<JobRecord> {
    return this.#ended('CANCELED');
  }

  close(): Promise<void> {
    return this.running.close();
  }

  async #ended(status: JobRecord['status']): Promise<JobRecord> {
    const { status: found, failure } = await this.running.ended;
    const cause = failure === null ? undefined : await this.running.stores.objects.read(failure);
    expect({ status: found, cause: cause && Buffer.from(cause).toString() }).toEqual({ status, cause: undefined });
    const record = await this.record();
    await this.close();
    return record;
  }

  async #operation(trigger: string): Promise<OperationRecord> {
    const { stores, job } = this.running;
    let operation: OperationRecord | undefined;
    await until(async () => (operation = await stores.operations.read(job, trigger))?.status === 'COMPLETED');
    expect(operation!.failure?.message).toBeUndefined();
    return operation!;
  }
}

export interface World {
  /** Is gone after the test. */
  readonly folder: string;
  /** What the sinks named `collect` have made visible, over all runs of the test. */
  readonly collect: CollectSink;
  /** What push sources read, over all runs of the test. */
  readonly intakeLog: IntakeLog;
  readonly forgetIntakes: () => void;
  /** In mode unaligned: some barrier of the test's jobs has overtaken records, which so are in a checkpoint or savepoint as data in flight. */
  readonly expectOvertaken: (mode: Mode) => void;
  /** Forgets what the sinks named `collect` have made visible. */
  readonly emptySinks: () => void;
  readonly start: (program: CompiledJob, options?: StartOptions) => Promise<Run>;
}

/** To be called once, outside of tests: a folder and empty sinks for each, and nothing left running after it. */
export function useWorld(): World {
  let runs: Run[] = [];
  const world = {
    folder: '',
    collect: createCollectSink(),
    intakeLog: createMemoryIntakeLog(),
    forgetIntakes: () => void (world.intakeLog = createMemoryIntakeLog()),
    emptySinks: () => void (world.collect = createCollectSink()),
    expectOvertaken(mode: Mode): void {
      if (mode === 'unaligned') expect(Math.max(...runs.map(({ inFlightMax }) => inFlightMax))).toBeGreaterThan(0);
    },
    async start(
      program: CompiledJob,
      { dataDir, fromSavepoint, allowNonRestoredState, stores, code, sinks, ...settings }: StartOptions = {},
    ): Promise<Run> {
      const local = createLocalConnectors({ collect: world.collect, intakeLog: world.intakeLog });
      const running = await runJob({
        clock: systemClock,
        timers: systemTimers,
        random: systemRandom,
        metrics: createMetrics(),
        logger: { log: () => undefined },
        program,
        checkpoint: { ...defaultCheckpointSettings, intervalMs: 20, ...settingsOfScenario(), ...settings },
        connectors: { sources: { ...local.sources, gated: gatedReader }, sinks: { ...local.sinks, ...sinks } },
        ...(dataDir === undefined ? {} : { dataDir: join(world.folder, dataDir) }),
        ...(fromSavepoint === undefined ? {} : { fromSavepoint }),
        ...(allowNonRestoredState === undefined ? {} : { allowNonRestoredState }),
        ...(stores === undefined ? {} : { stores }),
        ...(code === undefined ? {} : { code }),
      });
      const run = new Run(running, world.folder);
      runs.push(run);
      return run;
    },
  };
  beforeEach(async () => {
    world.folder = await mkdtemp(join(tmpdir(), 'sluice-scenario-'));
    world.emptySinks();
    world.forgetIntakes();
  });
  afterEach(async () => {
    for (const run of runs) await run.close();
    runs = [];
    await rm(world.folder, { recursive: true });
  });
  return world;
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(2);
}
