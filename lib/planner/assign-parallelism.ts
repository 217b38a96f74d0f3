/**
 * Second pass: how many subtasks every operator has.
 *
 * What the user set on an operator holds. Otherwise a source has one subtask; an operator that is reached by key, in turn or by broadcast has the job's
 * parallelism; one that is reached directly has that of the operators before it, so that it can run in their chain.
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
    const parallelism = node.parallelism ?? inheritedParallelism(graph, node, byNode, options.parallelism ?? 1);
    const fixed = node.maxParallelism ?? options.maxParallelism;
    const assigned = {
      parallelism,
      maxParallelism: fixed ?? defaultMaxParallelism(parallelism),
      maxParallelismDerived: fixed === undefined,
    };
    byNode.set(id, assigned);
    problems.push(...nodeProblems(node, assigned));
  }
  return { byNode, problems };
}

function inheritedParallelism(
  { edges }: StreamGraph,
  { id, role }: GraphNode,
  byNode: ReadonlyMap<number, Parallelism>,
  ofJob: number,
): number {
  if (role === 'source') return 1;
  const inputs = edges.filter(({ to }) => to === id);
  const direct = inputs.filter(({ partitioner }) => partitioner === 'forward');
  const main = inputs.filter(({ partitioner }) => partitioner !== 'broadcast');
  // The broadcast side does not say how many subtasks the other side needs.
  if (direct.length === 0 || direct.length < main.length) return ofJob;
  return Math.max(...direct.map(({ from }) => byNode.get(from)!.parallelism));
}

function nodeProblems({ uid, parallelism: set, maxParallelism: setMax }: GraphNode, assigned: Parallelism): GraphProblem[] {
  const problems: GraphProblem[] = [];
  if (set !== undefined && !isCount(set)) problems.push(parallelismInvalid(uid, set));
  if (setMax !== undefined && !isCount(setMax)) problems.push(maxParallelismInvalid(uid, setMax));
  if (problems.length === 0 && isCount(assigned.maxParallelism) && assigned.parallelism > assigned.maxParallelism) {
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
