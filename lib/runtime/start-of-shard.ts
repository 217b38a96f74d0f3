/** What a shard of the job's current attempt starts from: nothing, or its share of the checkpoint that the job record's descriptor names. */
import { decodeDescriptor, decodeManifest } from '../checkpoint/manifest-codec.ts';
import { shardStart, type ShardStart } from '../checkpoint/shard-start.ts';
import { invariant } from '../base/invariant.ts';
import type { JobRecord } from '../model/job-record.ts';
import { readNamed } from './named-objects.ts';
import type { Runtime } from './runtime-deps.ts';
import type { ShardTopology } from './topology.ts';

export async function startOfShard(runtime: Runtime, job: JobRecord, { address }: ShardTopology): Promise<ShardStart> {
  if (job.descriptor === null) return fromNothing;
  const { objects } = runtime.deps;
  const descriptor = decodeDescriptor(await readNamed(objects, job.descriptor), job.descriptor);
  invariant(descriptor.attempt === job.attempt, 'LD2', 'the descriptor is of another attempt', {
    job: job.attempt,
    descriptor: descriptor.attempt,
  });
  const manifest = decodeManifest(await readNamed(objects, descriptor.manifest), descriptor.manifest);
  return shardStart(manifest, runtime.program.plan, address.uid, address.shard);
}

const fromNothing: ShardStart = {
  checkpoint: 0,
  splits: null,
  operatorStates: {},
  deltas: [],
  fired: [],
  nextTimer: { event: null, processing: null },
  inFlight: [],
  finished: false,
  recordsIn: 0,
  recordsOut: 0,
};
