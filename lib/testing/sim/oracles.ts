/**
 * What must hold at every moment of a run, looked at from outside the protocol.
 *
 * OR1. What the job record holds, retained or pinned, is whole: its manifest can be read, and every object that it names is there.
 * OR2. A completed checkpoint is a cut: what was sent before it was received before it, record by record.
 * OR3. Keyed state at a held checkpoint is what it was when the checkpoint completed, wherever base and deltas have got to.
 * OR4. What is retained is not newer than the newest completed checkpoint, and in order.
 * OR5. Once everything works, a timer of the clock fires when it is due, though no record comes.
 * OR6. Exactly once, a snapshot shows no window as closed that has still to fire.
 * OR7. Once everything works, what is kept stays bounded (bounds.ts).
 */
import { vertexOf } from '../../model/job-plan.ts';
import { keyGroupRange } from '../../model/key-group-range.ts';
import { expectedShards } from '../../checkpoint/completeness.ts';
import type { Manifest } from '../../checkpoint/manifest.ts';
import type { JobRecord } from '../../model/job-record.ts';
import type { ShardSnapshot } from '../../model/shard-record.ts';
import { readPlan } from '../../coordinator/coordinator-deps.ts';
import { Bounds } from './bounds.ts';
import type { SettingsDraw } from './circumstances.ts';
import { cutProblem } from './cut-problem.ts';
import type { JobId } from '../../base/ids.ts';
import { heldState } from './held-state.ts';
import { NamedDocuments } from './named-documents.ts';
import { collecting, type SimStores } from './sim-stores.ts';

/** Longer than a message can be kept back by what went wrong before. */
const overdueMs = 12_000;

export class Oracles {
  readonly #world: SimStores;
  readonly #draw: Pick<SettingsDraw, 'isAtLeastOnce'>;
  readonly #documents: NamedDocuments;
  readonly #seen = new Set<string>();
  /** When a timer was first seen to be due: what a job begins with may be due since long. */
  readonly #dueSince = new Map<string, number>();
  readonly #bounds = new Map<JobId, Bounds>();
  readonly #states = new Map<string, string>();
  /** By manifest: what had changed when it was looked at last. Its objects go, and its state changes, by nothing else. */
  readonly #looked = new Map<string, string>();

  constructor(world: SimStores, draw: Pick<SettingsDraw, 'isAtLeastOnce'>) {
    this.#world = world;
    this.#documents = new NamedDocuments(world.stores.objects);
    this.#draw = draw;
  }

  /** Everything that is wrong now. */
  async look(record: JobRecord, healedNowMs: number | null): Promise<readonly string[]> {
    const problems: string[] = [];
    const ids = record.retained.map(({ id }) => id);
    if (ids.some((id, i) => id > (ids[i + 1] ?? record.completed)))
      problems.push(`job ${record.job} retains ${ids.join(', ')}, completed is ${record.completed}`);
    if (healedNowMs !== null) problems.push(...(await this.#boundsOf(record).look(record, healedNowMs)));
    if (healedNowMs !== null && record.status === 'RUNNING') problems.push(...(await this.#overdue(record, healedNowMs)));
    for (const { manifest: key } of [...record.retained, ...record.pins]) {
      const manifest = await this.#manifestOf(key);
      if (typeof manifest === 'string') problems.push(`job ${record.job} holds a checkpoint: ${manifest}`);
      else problems.push(...(await this.#problemsOf(key, manifest)));
    }
    return problems;
  }

  #boundsOf({ job }: JobRecord): Bounds {
    const bounds = this.#bounds.get(job) ?? new Bounds(this.#world, this.#documents, collecting);
    this.#bounds.set(job, bounds);
    return bounds;
  }

  async #overdue(record: JobRecord, nowMs: number): Promise<readonly string[]> {
    const { shards, objects } = this.#world.stores;
    const { plan } = await readPlan({ objects }, record.plan);
    const stored = await Promise.all(expectedShards(plan).map((shard) => shards.read({ job: record.job, ...shard })));
    return stored
      .filter((shard) => shard !== undefined)
      .flatMap(({ uid, shard, attempt, status, nextTimer: { processing } }) => {
        const timer = `${record.job} ${attempt} ${uid}[${shard}] ${processing}`;
        const isDue = attempt === record.attempt && status === 'running' && processing !== null && processing < nowMs;
        const sinceMs = this.#dueSince.get(timer) ?? nowMs;
        if (isDue) this.#dueSince.set(timer, sinceMs);
        return isDue && nowMs - sinceMs > overdueMs ? [`a timer of ${uid}[${shard}] is due, and nobody comes`] : [];
      });
  }

  async #manifestOf(key: string): Promise<Manifest | string> {
    return (await this.#documents.manifest(key)) ?? `its manifest ${key} is gone`;
  }

  async #problemsOf(key: string, manifest: Manifest): Promise<readonly string[]> {
    const problems: string[] = [];
    const about = `checkpoint ${manifest.checkpoint} of job ${manifest.job}`;
    const { baseChanges, removals } = this.#world;
    const changes = `${baseChanges()} ${removals()}`;
    if (this.#looked.get(key) === changes) return [];
    this.#looked.set(key, changes);
    for (const name of namedBy(manifest)) {
      if ((await this.#world.stores.objects.read(name)) === undefined) problems.push(`${about} names ${name}, which is gone`);
    }
    if (problems.length > 0) return problems;
    const state = await heldState(this.#world.stores, manifest);
    if ((this.#states.get(key) ?? state) !== state) problems.push(`${about} has other state now than when it completed`);
    this.#states.set(key, state);
    if (this.#seen.has(key)) return problems;
    this.#seen.add(key);
    if (!this.#draw.isAtLeastOnce)
      problems.push(...leftDue(manifest).map((shard) => `${about}: ${shard} has timers that its watermark has passed`));
    // An import begins with positions of its own, and at least once promises no cut.
    const isCut = manifest.attempt > 0 && manifest.mode === 'exactly-once';
    const problem = isCut
      ? await cutProblem(this.#world.stores.objects, manifest.plan, manifest.shards, {
          isUnaligned: manifest.unaligned === true,
          areCountsExact: !this.#draw.isAtLeastOnce,
        })
      : undefined;
    return problem === undefined ? problems : [...problems, `${about} is no cut: ${problem}`];
  }
}

/** State; segments too, because what is in flight would be read from them. */
function namedBy({ shards }: Manifest): readonly string[] {
  return shards.flatMap(({ deltas, segments, inFlight = [] }) => [
    ...deltas.map(({ key }) => key),
    ...segments.recent,
    ...inFlight.flatMap(({ recent, chained }) => [...recent, ...(chained === null ? [] : [chained])]),
  ]);
}

/** Its own range comes first, once it has one: before its first watermark there are only those that a restore brought, of parts of its key groups. */
function leftDue({ attempt, plan, shards }: Manifest): readonly string[] {
  const isDue = ({ uid, shard, fired: [own], nextTimer }: ShardSnapshot): boolean => {
    if (attempt === 0 || own === undefined || nextTimer.event === null) return false;
    const { parallelism, maxParallelism } = vertexOf(plan, uid);
    const { start, end } = keyGroupRange(shard, parallelism, maxParallelism);
    return own.keyGroups.start <= start && own.keyGroups.end >= end && nextTimer.event <= own.firedUpTo;
  };
  return shards.filter(isDue).map(({ uid, shard }) => `${uid}[${shard}]`);
}
