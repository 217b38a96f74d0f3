/**
 * Step: removes objects that nothing names, and old tombstones. Mark from the roots, sweep what is old.
 *
 * CG1. Roots are the job record (descriptor, retained and pinned manifests), pending acknowledgements, all shard records of the attempt, and the progress
 *      of unfinished exports. What only a retired manifest, or a try that lost its race, had named goes.
 * CG2. Only objects older than the longest life of an invocation: a younger one may be about to be named.
 * CG3. Candidates are listed before the roots are read, and shard records before the job record: what passes from an acknowledgement to a manifest, or
 *      from a record's deltas into the base, meanwhile, is still seen at one of the two.
 * CG4. A namespace of the base that the job has left is dropped when no invocation is left that could read or write there.
 * CG5. Parts that sinks keep among the job's objects go once their checkpoint is published: an export that is under way takes what is published for shown.
 */
import { mutated } from '../base/mutated.ts';
import type { JobId } from '../base/ids.ts';
import { expectedShards } from '../checkpoint/completeness.ts';
import { decodeDescriptor, decodeManifest } from '../checkpoint/manifest-codec.ts';
import { forgetSpaces } from '../checkpoint/left-spaces.ts';
import { spaceOf, type JobRecord } from '../model/job-record.ts';
import { jobPrefix, manifestKey } from '../model/object-keys.ts';
import { checkpointOfPart } from '../model/sink-part-keys.ts';
import type { SegmentIndex, SegmentList, ShardRecord, ShardSnapshot } from '../model/shard-record.ts';
import { importIdOf } from '../savepoint/import-target.ts';
import { readObject, readPlan, type CoordinatorDeps } from './coordinator-deps.ts';
import { trimIntakes } from './trim-intakes.ts';
import { readJob, updateJob } from './update-job.ts';

/** Folders of a job that the collector looks after; plans, splits and failures are few and kept. */
const collected = /^(segments|indexes|deltas|manifests|restores|exports|sinks)\//;
const restoreOf = /^restores\/(\d+)-(.*)-\d+$/;
const importOf = /^(?:segments\/[^/]+\/\d+\/0-\d+|manifests\/chk-\d+)-([0-9a-f]{16})$/;
const exportOf = /^exports\/([^/]+)\//;
const removedAtOnce = 1_000;
const readingsMax = 10;

export async function collectGarbage(deps: CoordinatorDeps, { job }: { readonly job: JobId }): Promise<{ readonly removed: number }> {
  const cutoffMs = deps.clock.now() - (mutated('collector-without-age') ? -1 : deps.garbageAgeMs);
  const candidates = (await deps.objects.list(jobPrefix(job))).filter(({ createdAtMs }) => createdAtMs < cutoffMs).map(({ key }) => key);
  const marks = new Marks(deps);
  const record = await markAll(deps, job, marks);
  if (record === undefined) return { removed: 0 };
  const operations = await deps.operations.list(job);
  const underWay = new Set(operations.filter(({ status }) => status === 'IN_PROGRESS').map(({ trigger }) => trigger));
  const garbage = candidates.filter((key) => {
    const name = key.slice(jobPrefix(job).length);
    const isNeeded = marks.keys.has(key) || isUnderWay(name, record, underWay) || isUnpublished(name, record);
    return collected.test(name) && !isNeeded && !mutated('nothing-collected');
  });
  for (let at = 0; at < garbage.length; at += removedAtOnce) await deps.objects.remove(garbage.slice(at, at + removedAtOnce));
  await dropLeftSpaces(deps, record, cutoffMs);
  await trimIntakes(deps, record, operations);
  await deps.base.purgeTombstones(spaceOf(record), mutated('tombstones-go-early') ? deps.clock.now() + 1 : cutoffMs);
  deps.logger.log('debug', `${garbage.length} objects of job ${job} are collected`, { kept: candidates.length - garbage.length });
  return { removed: garbage.length };
}

/** CG4. */
async function dropLeftSpaces(deps: CoordinatorDeps, { job, leftSpaces = [] }: JobRecord, cutoffMs: number): Promise<void> {
  const old = leftSpaces.filter(({ leftAtMs }) => leftAtMs < cutoffMs).map(({ space }) => space);
  if (old.length === 0) return;
  for (const space of old) await deps.base.drop(space);
  await updateJob(deps, job, (current) => forgetSpaces(current, old, deps.clock.now()));
}

/**
 * A restore that has not switched yet has written its descriptor, and beside a running job what it imports; an export's steps stand until its end.
 * `underWay`: triggers of operations.
 */
function isUnderWay(name: string, record: JobRecord, underWay: ReadonlySet<string>): boolean {
  const [, attempt, restoring] = restoreOf.exec(name) ?? [];
  if (restoring !== undefined) return Number(attempt) > record.attempt && underWay.has(restoring);
  const importing = importOf.exec(name)?.[1];
  if (importing !== undefined) return [...underWay].some((trigger) => importIdOf(trigger) === importing);
  const trigger = exportOf.exec(name)?.[1];
  return trigger !== undefined && underWay.has(trigger) && !mutated('collector-without-exports');
}

/** CG5. What an import has staged says no number of this job's. */
function isUnpublished(name: string, { published }: JobRecord): boolean {
  return name.startsWith('sinks/') && (checkpointOfPart(name) ?? Number.POSITIVE_INFINITY) > published;
}

/** undefined where the job changes faster than its roots can be read: another time. */
async function markAll(deps: CoordinatorDeps, job: JobId, marks: Marks): Promise<JobRecord | undefined> {
  const { plan: planKey, attempt } = await readJob(deps, job);
  const { plan } = await readPlan(deps, planKey);
  for (const shard of expectedShards(plan)) {
    const stored = await deps.shards.read({ job, ...shard });
    if (stored !== undefined && stored.attempt >= attempt && !mutated('collector-without-records')) await marks.shard(stored);
  }
  for (let reading = 0; reading < readingsMax; reading++) {
    const record = await readJob(deps, job);
    for (const { id } of record.pending) {
      marks.key(manifestKey(job, record.attempt, id));
      for (const snapshot of await deps.acknowledgements.list(job, record.attempt, id)) await marks.snapshot(snapshot);
    }
    for (const key of [...(mutated('collector-without-retained') ? [] : record.retained), ...record.pins].map(({ manifest }) => manifest))
      await marks.manifest(key, true);
    await marks.descriptor(record);
    if ((await readJob(deps, job)).version === record.version) return record;
  }
  return undefined;
}

class Marks {
  readonly keys = new Set<string>();
  readonly #deps: CoordinatorDeps;

  constructor(deps: CoordinatorDeps) {
    this.#deps = deps;
  }

  key(key: string): void {
    this.keys.add(key);
  }

  async shard({ segments, stash, lastSegment, deltas }: ShardRecord): Promise<void> {
    if (lastSegment !== null) this.keys.add(lastSegment);
    for (const { segment } of stash.envelopes) this.keys.add(segment);
    for (const { key } of deltas) this.keys.add(key);
    for (const list of segments) await this.#segments(list);
  }

  async snapshot({ deltas, segments, inFlight = [] }: ShardSnapshot): Promise<void> {
    for (const { key } of deltas) this.keys.add(key);
    for (const list of [segments, ...(mutated('collector-without-in-flight') ? [] : inFlight)]) await this.#segments(list);
  }

  /** Read once, however often it is named. */
  async manifest(key: string, withContent: boolean): Promise<void> {
    if (this.keys.has(key)) return;
    if (!withContent) return void this.keys.add(key);
    const manifest = decodeManifest(await readObject(this.#deps, key), key);
    this.keys.add(key);
    for (const snapshot of manifest.shards) await this.snapshot(snapshot);
  }

  /** Shards read it until the attempt's first checkpoint: that one proves that all have. */
  async descriptor({ descriptor, completed, firstEpoch }: JobRecord): Promise<void> {
    if (descriptor === null) return;
    this.keys.add(descriptor);
    const { manifest } = decodeDescriptor(await readObject(this.#deps, descriptor), descriptor);
    await this.manifest(manifest, completed < firstEpoch);
  }

  async #segments({ recent, chained }: SegmentList): Promise<void> {
    for (const segment of recent) this.keys.add(segment);
    for (let key = chained; key !== null && !this.keys.has(key);) {
      this.keys.add(key);
      const bytes = await readObject(this.#deps, key);
      const index = JSON.parse(Buffer.from(bytes).toString('utf8')) as SegmentIndex;
      for (const segment of index.segments) this.keys.add(segment);
      if (index.then !== undefined) await this.#segments(index.then);
      key = index.previous;
    }
  }
}
