/**
 * The bill of a checkpoint: what its shards counted since their last one, and what the coordinator did for it.
 *
 * CB1. It is for people. A function that ends before its next snapshot takes its counts with it, and a step that is repeated may add its own twice.
 */
import { invariant } from '../base/invariant.ts';
import { sourceShards } from '../checkpoint/completeness.ts';
import { addBills, type Bill } from '../model/bill.ts';
import type { JobPlan } from '../model/job-plan.ts';
import type { ShardSnapshot } from '../model/shard-record.ts';
import type { CoordinatorDeps } from './coordinator-deps.ts';
import { flowDescriptions } from './flow-descriptions.ts';
import { flowOfExecution } from './flow-names.ts';

type BillDeps = Pick<CoordinatorDeps, 'bill'>;

/** The function that stores acknowledgements ends up in no step of a flow: its counts go with the snapshot. */
export function withOwnCounts({ bill }: BillDeps, snapshot: ShardSnapshot): ShardSnapshot {
  const own = bill === undefined ? undefined : addBills(snapshot.bill, bill());
  return own === undefined ? snapshot : { ...snapshot, bill: own };
}

/** Taken out of the snapshots, because what a process counted is of any shard that it worked on. */
export function billOfCheckpoint(
  deps: BillDeps,
  shards: readonly ShardSnapshot[],
  execution: string,
): { readonly shards: readonly ShardSnapshot[]; readonly bill?: Bill } {
  const counted = billOfShards(shards);
  const flow = deps.bill === undefined ? undefined : { 'states.Transition': transitionsOf(execution) };
  const bill = addBills(counted, deps.bill?.(), flow);
  if (bill === undefined) return { shards };
  return { shards: shards.map(({ bill: _, ...snapshot }) => snapshot), bill };
}

export function billOfShards(shards: readonly ShardSnapshot[]): Bill | undefined {
  return addBills(...shards.map(({ bill }) => bill));
}

interface SourcesRead {
  readonly plan: JobPlan;
  readonly shards: readonly Pick<ShardSnapshot, 'uid' | 'recordsIn'>[];
}

/** Of the sources: what has come into the job. */
export function recordsRead({ plan, shards }: SourcesRead): number {
  const sources = new Set(sourceShards(plan).map(({ uid }) => uid));
  return shards.reduce((sum, { uid, recordsIn }) => sum + (sources.has(uid) ? recordsIn : 0), 0);
}

/** Straight through, without tries and rounds of an export: its beginning and each of its states is one. */
function transitionsOf(execution: string): number {
  const flow = flowDescriptions.find(({ name }) => name === flowOfExecution(execution));
  if (flow === undefined) return 0;
  let transitions = 1;
  for (let name: string | undefined = flow.startAt; name !== undefined; transitions++) {
    const state: (typeof flow.states)[string] | undefined = flow.states[name];
    invariant(state !== undefined && transitions < 100, 'CB1', `the way through flow ${flow.name} has no end`);
    name = state.type === 'choice' ? state.choices[0]?.next : 'next' in state ? state.next : undefined;
  }
  return transitions;
}
