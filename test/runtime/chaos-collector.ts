/**
 * Deletes every object that no root names, as the collector of the design does: whoever needs one that is gone has named too little. Invocations go on
 * meanwhile, so, as there, candidates are listed before any root is read, and what a running invocation has made is too young to be one.
 */
import type { LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import type { SegmentIndex, SegmentList, ShardSnapshot } from '../../lib/model/shard-record.ts';
import { jobA } from '../contract/sample-records.ts';

/** `isYoung`: made by an invocation that still runs, which may be about to name it. */
export async function collectGarbage(
  stores: LocalStores,
  readJob: () => Promise<JobRecord>,
  plan: JobPlan,
  pending: readonly ShardSnapshot[],
  isYoung: (key: string) => boolean,
): Promise<number> {
  const listed = await stores.objects.list(`jobs/${jobA}/`);
  const candidates = listed.map(({ key }) => key).filter((key) => !/\/(?:splits|plans)\//.test(key) && !isYoung(key));
  const needed = new Set<string>();
  const need = (key: string | null): void => {
    if (key !== null) needed.add(key);
  };
  const needList = async ({ recent, chained }: SegmentList): Promise<void> => {
    recent.forEach(need);
    for (let key = chained; key !== null;) {
      need(key);
      const index = JSON.parse(Buffer.from((await stores.objects.read(key))!).toString('utf8')) as SegmentIndex;
      index.segments.forEach(need);
      if (index.then !== undefined) await needList(index.then);
      key = index.previous;
    }
  };
  const { attempt } = await readJob();
  for (const { uid, parallelism } of plan.vertices) {
    for (let shard = 0; shard < parallelism; shard++) {
      const record = await stores.shards.read({ job: jobA, uid, shard });
      if (record === undefined || record.attempt < attempt) continue;
      need(record.lastSegment);
      record.deltas.forEach(({ key }) => need(key));
      record.stash.envelopes.forEach(({ segment }) => need(segment));
      for (const list of record.segments) await needList(list);
    }
  }
  const job = await readJob();
  need(job.descriptor);
  const snapshots = [...pending];
  for (const { manifest } of job.retained) {
    need(manifest);
    snapshots.push(...decodeManifest((await stores.objects.read(manifest))!, manifest).shards);
  }
  for (const { deltas, inFlight = [] } of snapshots) {
    deltas.forEach(({ key }) => need(key));
    for (const list of inFlight) await needList(list);
  }
  const gone = candidates.filter((key) => !needed.has(key));
  await stores.objects.remove(gone);
  return gone.length;
}
