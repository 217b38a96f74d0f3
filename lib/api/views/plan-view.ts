import type { JobId } from '../../base/ids.ts';
import type { JobPlan, Partitioner, PlannedVertex } from '../../model/job-plan.ts';
import { vertexId } from './vertex-id.ts';

const shipStrategies: Readonly<Record<Partitioner, string>> = {
  forward: 'FORWARD',
  hash: 'HASH',
  rebalance: 'REBALANCE',
  broadcast: 'BROADCAST',
};

/** The graph of `GET /jobs/:jobid/plan`. */
export function planView(job: JobId, plan: JobPlan): Readonly<Record<string, unknown>> {
  // Flink lists sinks first.
  const nodes = plan.vertices.map((vertex) => nodeView(plan, vertex)).reverse();
  return { jid: job, name: plan.name, type: 'STREAMING', nodes };
}

function nodeView(plan: JobPlan, { uid, parallelism, operators }: PlannedVertex): Readonly<Record<string, unknown>> {
  const inputs = plan.edges
    .filter(({ to }) => to === uid)
    .map(({ from, partitioner }, num) => ({
      id: vertexId(from),
      num,
      exchange: 'pipelined_bounded',
      ship_strategy: shipStrategies[partitioner],
    }));
  return {
    id: vertexId(uid),
    operator: '',
    parallelism,
    operator_strategy: '',
    description: operators.map((operator) => `${escapeHtml(`${operator.uid}: ${operator.kind}`)}<br/>`).join(''),
    optimizer_properties: {},
    ...(inputs.length === 0 ? {} : { inputs }),
  };
}

/** The dashboard inserts descriptions as HTML. */
function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
