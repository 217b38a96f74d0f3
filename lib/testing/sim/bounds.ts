/**
 * What is kept is bounded: nothing unreachable stays, and what a shard names does not grow while checkpoints complete. Reachable is worked out anew here, by
 * every name that stands anywhere in what the job record leads to, so that a mistake of the collector is not made twice.
 *
 * BO1. An object that nothing names, no restore under way either, and that is old enough, is gone after the next collections.
 * BO2. Deltas at or below the floor enter the base: no more epochs of them wait than the base may lag behind. The base follows at the end of a batch, which
 *      who works with care (careful.ts) may come to late.
 * BO3. A shard names segments of no more epochs than lie above the floor, or below it what a barrier has overtaken. Who does not commit drops nothing.
 * BO4. The job record stays as small as the store wants it.
 */
import type { CheckpointId } from '../../base/ids.ts';
import { limits } from '../../base/limits.ts';
import { expectedShards } from '../../checkpoint/completeness.ts';
import { segmentsFloor } from '../../checkpoint/segments-floor.ts';
import { readPlan } from '../../coordinator/coordinator-deps.ts';
import type { JobRecord } from '../../model/job-record.ts';
import { jobPrefix } from '../../model/object-keys.ts';
import { importIdOf } from '../../savepoint/import-target.ts';
import type { ShardRecord } from '../../model/shard-record.ts';
import type { NamedDocuments } from './named-documents.ts';
import type { SimStores } from './sim-stores.ts';

/** How old the floor may be that a shard commits with: its job record is cached, and an invocation lasts. */
const noticeMs = 3_000;
/** Commits that may come before the base has followed, or a collection before the next. */
const lagEpochs = 2;
const collectionsWaited = 4;

const collected = /^(segments|indexes|deltas|manifests|restores)\//;

interface Unnamed {
  readonly key: string;
  readonly sinceMs: number;
}

export interface BoundsOptions {
  readonly garbageAgeMs: number;
  readonly collectMs: number;
}

export class Bounds {
  readonly #world: SimStores;
  readonly #documents: NamedDocuments;
  readonly #options: BoundsOptions;
  readonly #unnamed = new Map<string, Unnamed>();
  /** Ends of spans in which a checkpoint completed after everything worked: each begins a collection. */
  #collections: readonly number[] = [];
  #completedAtMs = 0;
  readonly #floors: (Floors & { readonly atMs: number })[] = [];
  /** By shard: when it was last seen at work with care. */
  readonly #careAtMs = new Map<string, number>();
  /** By shard: the record as it is now, and since when it is so. */
  readonly #commits = new Map<string, { readonly version: number; readonly atMs: number }>();

  constructor(world: SimStores, documents: NamedDocuments, options: BoundsOptions) {
    this.#world = world;
    this.#documents = documents;
    this.#options = options;
  }

  /** Once everything works: before that nobody has to keep up. */
  async look(record: JobRecord, nowMs: number): Promise<readonly string[]> {
    const { stores } = this.#world;
    const { plan } = await readPlan(stores, record.plan);
    const read = await Promise.all(expectedShards(plan).map((shard) => stores.shards.read({ job: record.job, ...shard })));
    const shards = read.filter((shard) => shard !== undefined).filter(({ attempt }) => attempt === record.attempt);
    this.#floors.push({ atMs: nowMs, floor: record.floor, segments: segmentsFloor(record) });
    const bytes = JSON.stringify(record).length;
    return [
      ...(bytes > limits.jobRecordBytesMax ? [`the job record of ${record.job} has ${bytes} characters`] : []),
      ...(record.status === 'RUNNING' ? shards.flatMap((shard) => outgrown(this.#noticedBy(shard, nowMs), shard)) : []),
      ...(await this.#uncollected(record, shards, nowMs)),
    ];
  }

  #noticedBy({ uid, shard, version, suspects }: ShardRecord, nowMs: number): Floors {
    const name = `${uid}[${shard}]`;
    const seen = this.#commits.get(name);
    const commit = seen?.version === version ? seen : { version, atMs: nowMs };
    this.#commits.set(name, commit);
    if (suspects !== undefined) this.#careAtMs.set(name, nowMs);
    if (nowMs - (this.#careAtMs.get(name) ?? Number.NEGATIVE_INFINITY) <= noticeMs) return { floor: 0, segments: 0 };
    return this.#floors.findLast(({ atMs }) => atMs <= commit.atMs - noticeMs) ?? { floor: 0, segments: 0 };
  }

  async #uncollected(record: JobRecord, shards: readonly ShardRecord[], nowMs: number): Promise<readonly string[]> {
    const { collectMs, garbageAgeMs } = this.#options;
    if (record.completedAtMs !== this.#completedAtMs) {
      const isNextSpan = Math.floor(record.completedAtMs / collectMs) !== Math.floor(this.#completedAtMs / collectMs);
      this.#completedAtMs = record.completedAtMs;
      if (isNextSpan) this.#collections = [...this.#collections, nowMs];
    }
    const named = await this.#named(record, shards);
    const problems: string[] = [];
    const restoring = await this.#restoring(record);
    for (const { key, createdAtMs } of await this.#world.stores.objects.list(jobPrefix(record.job))) {
      const name = key.slice(jobPrefix(record.job).length);
      if (named.has(key) || !collected.test(name) || restoring.some((trigger) => name.includes(trigger))) {
        this.#unnamed.delete(key);
        continue;
      }
      const since = this.#unnamed.get(key) ?? { key, sinceMs: nowMs };
      this.#unnamed.set(key, since);
      const dueMs = Math.max(since.sinceMs, createdAtMs + garbageAgeMs);
      if (this.#collections.filter((atMs) => atMs > dueMs).length > collectionsWaited)
        problems.push(`${key} is named by nothing since ${nowMs - since.sinceMs} ms, and not collected`);
    }
    return problems;
  }

  /** What their flows go on with, some time. */
  async #restoring({ job }: JobRecord): Promise<readonly string[]> {
    const operations = await this.#world.stores.operations.list(job);
    return operations
      .filter(({ kind, status }) => kind === 'restore' && status === 'IN_PROGRESS')
      .flatMap(({ trigger }) => [`-${trigger}-`, importIdOf(trigger)]);
  }

  async #named(record: JobRecord, shards: readonly ShardRecord[]): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    const prefix = jobPrefix(record.job);
    const gather = (value: unknown): void => {
      if (typeof value === 'string') {
        if (value.startsWith(prefix)) names.add(value);
      } else if (value !== null && typeof value === 'object') Object.values(value).forEach(gather);
    };
    [record, ...shards].forEach(gather);
    for (const name of names) gather(await this.#content(name, prefix));
    return names;
  }

  /** Of what names others. */
  #content(key: string, prefix: string): Promise<unknown> {
    const name = key.slice(prefix.length);
    if (name.startsWith('manifests/')) return this.#documents.manifest(key);
    if (name.startsWith('restores/')) return this.#documents.descriptor(key);
    return name.startsWith('indexes/') ? this.#documents.index(key) : Promise.resolve(null);
  }
}

interface Floors {
  readonly floor: CheckpointId;
  readonly segments: CheckpointId;
}

function outgrown(noticed: Floors, { uid, shard, deltas, segments, status }: ShardRecord): readonly string[] {
  if (status !== 'running') return [];
  const below = new Set(deltas.map(({ epoch }) => epoch).filter((epoch) => epoch <= noticed.floor)).size;
  const lists = segments.filter(({ epoch }) => epoch <= noticed.segments).length;
  return [
    ...(below > 4 * limits.baseAdvanceEpochs + lagEpochs ? [`${uid}[${shard}] has deltas of ${below} epochs at or below the floor`] : []),
    ...(lists > lagEpochs ? [`${uid}[${shard}] names segments of ${lists} epochs at or below the floor`] : []),
  ];
}
