import { keyGroupRange } from '../../model/key-group-range.ts';
import type { Manifest } from '../../checkpoint/manifest.ts';
import { stateAtCheckpoint, type StatePorts } from '../../savepoint/state-at-checkpoint.ts';

/** All keyed state as that checkpoint has it, as one text: whatever happens after it, as long as it is held this stays the same. */
export async function heldState(ports: StatePorts, { job, space = job, plan, shards }: Manifest): Promise<string> {
  const lines: string[] = [];
  for (const { uid, shard, deltas } of shards) {
    const vertex = plan.vertices.find((candidate) => candidate.uid === uid)!;
    const keyGroups = keyGroupRange(shard, vertex.parallelism, vertex.maxParallelism);
    for (const { uid: operator, stateful } of vertex.operators) {
      if (!stateful) continue;
      for await (const rows of stateAtCheckpoint(ports, { space, operator, keyGroups, deltas }))
        for (const { state, key, namespace, value } of rows) lines.push(`${operator} ${state} ${key} ${namespace} ${value}`);
    }
  }
  return lines.sort().join('\n');
}
