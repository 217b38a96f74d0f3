import type { LocalStores } from '../../lib/adapters/memory/memory-stores.ts';
import type { JobPlan } from '../../lib/model/job-plan.ts';
import { operatorQueue } from '../../lib/model/queue-names.ts';
import { jobA } from '../contract/sample-records.ts';

/** Where a run that does not end stands: the job, and each shard with its queue. */
export async function describeJob(stores: LocalStores, plan: JobPlan): Promise<string> {
  const job = (await stores.jobs.read(jobA))!;
  const lines = [`attempt ${job.attempt} numbered ${job.numbered} completed ${job.completed} aborted ${job.aborted}`];
  for (const { uid, parallelism } of plan.vertices) {
    for (let shard = 0; shard < parallelism; shard++) {
      const record = await stores.shards.read({ job: jobA, uid, shard });
      const depth = await stores.queue.depth(operatorQueue(jobA, uid));
      lines.push(
        `${uid}[${shard}] depth ${depth} attempt ${record?.attempt} ${record?.status} epoch ${record?.epoch} settled ${record?.settled}`,
      );
      lines.push(`  stash ${record?.stash.envelopes.length} ${record?.stash.replaying} alignment ${JSON.stringify(record?.alignment)}`);
    }
  }
  return lines.join('\n');
}
