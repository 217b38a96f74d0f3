/** Graph in, plan out: validate, parallelism, chains, edges. Pure: the same graph and options give the same plan, to the byte. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../base/canonical-json.ts';
import { limits } from '../base/limits.ts';
import { graphInvalid } from '../graph/graph-problem.ts';
import type { GraphNode, StreamGraph } from '../graph/stream-graph.ts';
import type { ChainLink, JobPlan, PlannedEdge, PlannedOperator, PlannedVertex } from '../model/job-plan.ts';
import { assignParallelism, type Parallelism, type ParallelismOptions } from './assign-parallelism.ts';
import { type Chain, type Chaining, chainOperators, chainableEdge, partitionerOf } from './chain-operators.ts';
import { validateGraph } from './validate-graph.ts';

/** @throws SluiceError `SLUICE-GRAPH-INVALID` listing everything that is wrong with the graph */
export function planJob(graph: StreamGraph, options: ParallelismOptions = {}): JobPlan {
  const { byNode, problems } = assignParallelism(graph, options);
  const all = [...validateGraph(graph), ...problems];
  if (all.length > 0) throw graphInvalid(graph.name, all);
  const chaining = chainOperators(graph, byNode);
  return {
    format: 1,
    name: graph.name,
    parameters: graph.parameters,
    vertices: chaining.chains.map((chain) => plannedVertex(graph, chain, byNode)),
    edges: plannedEdges(graph, chaining, byNode),
  };
}

/** Names a plan: two plans with the same hash are the same. */
export function planHashOf(plan: JobPlan): string {
  return createHash('sha256').update(canonicalJson(plan)).digest('hex');
}

function plannedVertex(graph: StreamGraph, { head, members }: Chain, byNode: ReadonlyMap<number, Parallelism>): PlannedVertex {
  return {
    uid: head.uid,
    name: members.map(({ name }) => name).join(' → '),
    ...byNode.get(head.id)!,
    operators: members.map((node) => plannedOperator(graph, node, node === head ? [] : chainLinks(graph, node, byNode))),
  };
}

function chainLinks(graph: StreamGraph, node: GraphNode, byNode: ReadonlyMap<number, Parallelism>): ChainLink[] {
  const edge = chainableEdge(graph, node, byNode)!;
  return [{ from: graph.nodes[edge.from]!.uid, output: edge.output, input: edge.input }];
}

function plannedOperator(graph: StreamGraph, node: GraphNode, links: readonly ChainLink[]): PlannedOperator {
  return {
    uid: node.uid,
    name: node.name,
    kind: node.kind,
    stateful: node.role === 'source' || node.keyed || node.states.length > 0 || node.connector !== undefined,
    states: node.states,
    links,
    ...(node.connector === undefined ? {} : { connector: node.connector }),
    ...(node.onError === undefined ? {} : { onError: node.onError }),
  };
}

function plannedEdges(graph: StreamGraph, { chainOf }: Chaining, byNode: ReadonlyMap<number, Parallelism>): PlannedEdge[] {
  return graph.edges
    .filter(({ from, to }) => chainOf.get(from) !== chainOf.get(to))
    .map((edge, index) => ({ edge, index, buffers: { ...graph.buffers, ...graph.nodes[edge.from]!.buffers } }))
    .map(({ edge, index, buffers: { timeoutMs = 0, bytes = limits.envelopeBytesTarget } }) => ({
      index,
      from: chainOf.get(edge.from)!.head.uid,
      operator: graph.nodes[edge.from]!.uid,
      output: edge.output,
      to: chainOf.get(edge.to)!.head.uid,
      input: edge.input,
      partitioner: partitionerOf(edge, byNode),
      envelopeBytes: bytes,
      compressAboveBytes: limits.compressAboveBytes,
      ...(timeoutMs === 0 ? {} : { bufferTimeoutMs: timeoutMs }),
    }));
}
