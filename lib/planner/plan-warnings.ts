/** What a plan is allowed to do, and should not. */
import { limits } from '../base/limits.ts';
import type { JobPlan, PlannedVertex } from '../model/job-plan.ts';

export interface PlanWarning {
  readonly code: 'fan-in';
  readonly where: string;
  readonly message: string;
  readonly hint: string;
}

/** A source closes a commit, and flushes its envelopes, so often; what comes after it flushes no more often than it is fed. */
const flushesPerSecond = 1_000 / limits.sourceCommitMs;

export function planWarnings(plan: JobPlan): PlanWarning[] {
  return plan.vertices.flatMap((vertex) => fanIn(plan, vertex));
}

/** Every receiving shard is one message group, and a group takes only so many calls a second: senders × flushes must stay below. */
function fanIn(plan: JobPlan, vertex: PlannedVertex): PlanWarning[] {
  const senders = plan.edges
    .filter(({ to }) => to === vertex.uid)
    .map(({ from, partitioner }) => (partitioner === 'forward' ? 1 : plan.vertices.find(({ uid }) => uid === from)!.parallelism))
    .reduce((sum, count) => sum + count, 0);
  const callsPerSecond = senders * flushesPerSecond;
  if (callsPerSecond <= limits.groupCallsPerSecondMax) return [];
  const sendersMax = Math.floor(limits.groupCallsPerSecondMax / flushesPerSecond);
  return [
    {
      code: 'fan-in',
      where: vertex.uid,
      message: `${senders} shards send to each of its shards, up to ${callsPerSecond} calls a second into one message group, above ${limits.groupCallsPerSecondMax}`,
      hint: `Run the operators before it with at most ${sendersMax} shards together, or let them linger longer.`,
    },
  ];
}
