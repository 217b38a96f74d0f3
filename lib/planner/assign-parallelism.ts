/**
 * Second pass: how many subtasks every operator has.
 *
 * What the user set on an operator holds. Otherwise a source has one subtask; an operator that is reached by key, in turn or by broadcast has the job's
 * parallelism; one that is reached directly has what the operators before it have, so that it can run in their chain.
 */
import { limits } from '../base/limits.ts';
import type { GraphProblem } from '../graph/graph-problem.ts';
import type { GraphNode, StreamGraph } from '../graph/stream-graph.ts';
import { defaultMaxParallelism } from '../model/key-group.ts';
import { topologicalOrder } from './validate-graph.ts';

export interface ParallelismOptions {
  /** Of operators that set none. Default 1. */
  readonly parallelism?: number;
  /** Fixes the number of key groups for all operators that set none. Default: derived from the parallelism, as in Flink. */
  readonly maxParallelism?: number;
}

export interface Parallelism {
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly maxParallelismDerived: boolean;
}

export interface ParallelismPlan {
  readonly byNode: ReadonlyMap<number, Parallelism>;
  readonly problems: readonly GraphProblem[];
}

export function assignParallelism(graph: StreamGraph, options: ParallelismOptions): ParallelismPlan {
  const byNode = new Map<number, Parallelism>();
  const problems: GraphProblem[] = [...optionProblems(options)];
  for (const id of topologicalOrder(graph)) {
    const node = graph.nodes[id]!;
    const before = directlyBefore(graph, node).map((upstream) => byNode.get(upstream)!);
    const assigned = assign(node, before, options);
    byNode.set(id, assigned);
    // What is inherited was judged where it was set.
    problems.push(...nodeProblems(node, before.includes(assigned) ? undefined : assigned));
  }
  return { byNode, problems };
}

function assign(node: GraphNode, before: readonly Parallelism[], options: ParallelismOptions): Parallelism {
  const inherited =
    node.role === 'source' ? 1 : before.length === 0 ? (options.parallelism ?? 1) : Math.max(...before.map((each) => each.parallelism));
  const parallelism = node.parallelism ?? inherited;
  const like = before.find((each) => each.parallelism === parallelism);
  if (node.maxParallelism === undefined && like !== undefined) return like;
  const fixed = node.maxParallelism ?? options.maxParallelism;
  return { parallelism, maxParallelism: fixed ?? defaultMaxParallelism(parallelism), maxParallelismDerived: fixed === undefined };
}

/** The operators that it is connected to directly, if it is reached in no other way; a broadcast side does not count. */
function directlyBefore({ edges }: StreamGraph, { id }: GraphNode): number[] {
  const inputs = edges.filter(({ to, partitioner }) => to === id && partitioner !== 'broadcast');
  return inputs.every(({ partitioner }) => partitioner === 'forward') ? inputs.map(({ from }) => from) : [];
}

function nodeProblems({ uid, parallelism: set, maxParallelism: setMax }: GraphNode, assigned: Parallelism | undefined): GraphProblem[] {
  const problems: GraphProblem[] = [];
  if (set !== undefined && !isCount(set)) problems.push(parallelismInvalid(uid, set));
  if (setMax !== undefined && !isCount(setMax)) problems.push(maxParallelismInvalid(uid, setMax));
  if (
    problems.length === 0 &&
    assigned !== undefined &&
    isCount(assigned.maxParallelism) &&
    assigned.parallelism > assigned.maxParallelism
  ) {
    problems.push({
      code: 'parallelism-above-max',
      where: uid,
      message: `its parallelism ${assigned.parallelism} is above its max parallelism ${assigned.maxParallelism}`,
      hint: 'Lower the parallelism, or raise the max parallelism before the job has state.',
    });
  }
  return problems;
}

function optionProblems({ parallelism, maxParallelism }: ParallelismOptions): GraphProblem[] {
  return [
    ...(parallelism === undefined || isCount(parallelism) ? [] : [parallelismInvalid('the job', parallelism)]),
    ...(maxParallelism === undefined || isCount(maxParallelism) ? [] : [maxParallelismInvalid('the job', maxParallelism)]),
  ];
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= limits.maxParallelismMax;
}

function parallelismInvalid(where: string, value: number): GraphProblem {
  return {
    code: 'parallelism-invalid',
    where,
    message: `its parallelism is ${value}`,
    hint: `Give a whole number from 1 to ${limits.maxParallelismMax}.`,
  };
}

function maxParallelismInvalid(where: string, value: number): GraphProblem {
  return {
    code: 'max-parallelism-invalid',
    where,
    message: `its max parallelism is ${value}`,
    hint: `Give a whole number from 1 to ${limits.maxParallelismMax}.`,
  };
}
