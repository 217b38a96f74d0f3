/** What a plan is allowed to do, and should not. */
import { limits } from '../base/limits.ts';
import type { JobPlan, PlannedVertex } from '../model/job-plan.ts';

export interface PlanWarning {
  readonly code: 'fan-in';
  readonly where: string;
  readonly message: string;
  readonly hint: string;
}

/** A source closes a commit, and flushes its envelopes, so often; what comes after it flushes no more often than it is fed, and less where records linger. */
const flushesPerSecond = 1_000 / limits.sourceCommitMs;

export function planWarnings(plan: JobPlan): PlanWarning[] {
  return plan.vertices.flatMap((vertex) => fanIn(plan, vertex));
}

/** Every receiving shard is one message group, and a group takes only so many calls a second: senders × flushes must stay below. */
function fanIn(plan: JobPlan, vertex: PlannedVertex): PlanWarning[] {
  const edges = plan.edges
    .filter(({ to }) => to === vertex.uid)
    .map(({ from, partitioner, bufferTimeoutMs }) => ({
      senders: partitioner === 'forward' ? 1 : plan.vertices.find(({ uid }) => uid === from)!.parallelism,
      perSecond: flushesWith(bufferTimeoutMs),
    }));
  const callsPerSecond = Math.ceil(edges.reduce((sum, { senders, perSecond }) => sum + senders * perSecond, 0));
  if (callsPerSecond <= limits.groupCallsPerSecondMax) return [];
  const senders = edges.reduce((sum, edge) => sum + edge.senders, 0);
  const sendersMax = Math.floor((limits.groupCallsPerSecondMax * senders) / callsPerSecond);
  const timeoutMs = Math.ceil((senders * 1_000) / limits.groupCallsPerSecondMax);
  return [
    {
      code: 'fan-in',
      where: vertex.uid,
      message: `${senders} shards send to each of its shards, up to ${callsPerSecond} calls a second into one message group, above ${limits.groupCallsPerSecondMax}`,
      hint: `Run the operators before it with at most ${sendersMax} shards together, or give them a buffer timeout of ${timeoutMs} ms or more.`,
    },
  ];
}

/** Envelopes that fill up before are not counted: they need the throughput that a commit's worth of records has. */
function flushesWith(bufferTimeoutMs = 0): number {
  return bufferTimeoutMs === 0 ? flushesPerSecond : Math.min(flushesPerSecond, 1_000 / bufferTimeoutMs);
}
