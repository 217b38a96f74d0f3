/** Who must acknowledge, and who has: sets, never counters, because an acknowledgement may come twice. */
import { mutated } from '../base/mutated.ts';
import type { OperatorUid } from '../base/ids.ts';
import { isSourceVertex, type JobPlan, type PlannedVertex } from '../model/job-plan.ts';

export interface ShardOfPlan {
  readonly uid: OperatorUid;
  readonly shard: number;
}

function shardsOf(vertices: readonly PlannedVertex[]): readonly ShardOfPlan[] {
  return vertices.flatMap(({ uid, parallelism }) => Array.from({ length: parallelism }, (_, shard) => ({ uid, shard })));
}

/** All shards of the plan, in its order. */
export function expectedShards(plan: JobPlan): readonly ShardOfPlan[] {
  return shardsOf(plan.vertices);
}

export function sourceShards(plan: JobPlan): readonly ShardOfPlan[] {
  return shardsOf(plan.vertices.filter(({ uid }) => isSourceVertex(plan, uid)));
}

/** Empty = complete. Whoever is present and not expected is no concern: the plan alone decides. */
export function missingShards(plan: JobPlan, present: readonly ShardOfPlan[]): readonly ShardOfPlan[] {
  const names = new Set(present.map(({ uid, shard }) => `${uid}/${shard}`));
  const missing = expectedShards(plan).filter(({ uid, shard }) => !names.has(`${uid}/${shard}`));
  return mutated('incomplete-completes') && missing.length === 1 ? [] : missing;
}

/** Whether every source shard of the plan has said that it has no more input. */
export function allSourcesEnded(plan: JobPlan, ended: Readonly<Record<OperatorUid, readonly number[]>>): boolean {
  return sourceShards(plan).every(({ uid, shard }) => ended[uid]?.includes(shard) === true);
}
