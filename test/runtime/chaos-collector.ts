/** Deletes every object that no root names, as the collector of the design does: whoever needs one that is gone has named too little. */
import type { LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import { decodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';
import type { JobRecord } from '../../lib/model/job-record.ts';
import type { SegmentIndex, SegmentList, ShardSnapshot } from '../../lib/model/shard-record.ts';
import { jobA } from '../contract/sample-records.ts';

/** `spared`: made by invocations that still run; nobody can name them yet. */
export async function collectGarbage(
  stores: LocalStores,
  job: JobRecord,
  plan: JobPlan,
  pending: readonly ShardSnapshot[],
  spared: ReadonlySet<string>,
): Promise<number> {
  const needed = new Set<string>(spared);
  const need = (key: string | null): void => {
    if (key !== null) needed.add(key);
  };
  const needList = async ({ recent, chained }: SegmentList): Promise<void> => {
    recent.forEach(need);
    for (let key = chained; key !== null;) {
      need(key);
      const index = JSON.parse(Buffer.from((await stores.objects.read(key))!).toString('utf8')) as SegmentIndex;
      index.segments.forEach(need);
      key = index.previous;
    }
  };
  need(job.descriptor);
  const snapshots = [...pending];
  for (const { manifest } of job.retained) {
    need(manifest);
    snapshots.push(...decodeManifest((await stores.objects.read(manifest))!, manifest).shards);
  }
  for (const { deltas } of snapshots) deltas.forEach(({ key }) => need(key));
  for (const { uid, parallelism } of plan.vertices) {
    for (let shard = 0; shard < parallelism; shard++) {
      const record = await stores.shards.read({ job: jobA, uid, shard });
      if (record === undefined) continue;
      need(record.lastSegment);
      record.deltas.forEach(({ key }) => need(key));
      record.stash.envelopes.forEach(({ segment }) => need(segment));
      for (const list of record.segments) await needList(list);
    }
  }
  const all = await stores.objects.list(`jobs/${jobA}/`);
  const gone = all.map(({ key }) => key).filter((key) => !needed.has(key) && !key.includes('/splits/'));
  await stores.objects.remove(gone);
  return gone.length;
}
