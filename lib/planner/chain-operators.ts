/**
 * Third pass: which operators run in one function.
 *
 * CH1. An operator joins the chain of the one before it if it has exactly one edge in, that edge is direct, and both have as many subtasks and key groups.
 * CH2. Several operators may follow one in a chain, on its main output or on side outputs; every operator but the head has exactly one link.
 * CH3. An edge that is direct between operators of different parallelism deals records out in turn instead.
 */
import type { Partitioner } from '../model/job-plan.ts';
import type { GraphEdge, GraphNode, StreamGraph } from '../graph/stream-graph.ts';
import type { Parallelism } from './assign-parallelism.ts';
import { topologicalOrder } from './validate-graph.ts';

export interface Chain {
  readonly head: GraphNode;
  /** The head first, then in the order of the graph. */
  readonly members: readonly GraphNode[];
}

export interface Chaining {
  readonly chains: readonly Chain[];
  /** By operator id. */
  readonly chainOf: ReadonlyMap<number, Chain>;
}

export function chainOperators(graph: StreamGraph, parallelism: ReadonlyMap<number, Parallelism>): Chaining {
  const chains: { head: GraphNode; members: GraphNode[] }[] = [];
  const chainOf = new Map<number, { head: GraphNode; members: GraphNode[] }>();
  for (const id of topologicalOrder(graph)) {
    const node = graph.nodes[id]!;
    const edge = chainableEdge(graph, node, parallelism);
    let chain = edge === undefined ? undefined : chainOf.get(edge.from);
    if (chain === undefined) chains.push((chain = { head: node, members: [] }));
    chain.members.push(node);
    chainOf.set(id, chain);
  }
  return { chains, chainOf };
}

/** The edge by which an operator joins the chain before it. */
export function chainableEdge(graph: StreamGraph, node: GraphNode, parallelism: ReadonlyMap<number, Parallelism>): GraphEdge | undefined {
  const edges = graph.edges.filter(({ to }) => to === node.id);
  const edge = edges[0];
  if (edge === undefined || edges.length > 1 || edge.partitioner !== 'forward' || node.chaining !== 'always') return undefined;
  const before = graph.nodes[edge.from]!;
  if (before.chaining === 'never') return undefined;
  return sameSubtasks(parallelism.get(before.id)!, parallelism.get(node.id)!) ? edge : undefined;
}

export function partitionerOf(edge: GraphEdge, parallelism: ReadonlyMap<number, Parallelism>): Partitioner {
  if (edge.partitioner !== 'forward') return edge.partitioner;
  return parallelism.get(edge.from)!.parallelism === parallelism.get(edge.to)!.parallelism ? 'forward' : 'rebalance';
}

function sameSubtasks(left: Parallelism, right: Parallelism): boolean {
  return left.parallelism === right.parallelism && left.maxParallelism === right.maxParallelism;
}
