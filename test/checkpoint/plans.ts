import { operatorUid, type OperatorUid } from '../../lib/base/ids.ts';
import type { JobPlan, PlannedEdge, PlannedOperator, PlannedVertex, StateDeclaration } from '../../lib/model/job-plan.ts';

export const source = operatorUid('numbers');
export const counter = operatorUid('count');
export const sink = operatorUid('results');

interface PlanOptions {
  readonly name?: string;
  readonly sources?: number;
  readonly counters?: number;
  readonly maxParallelism?: number;
  readonly derived?: boolean;
  readonly counterStates?: readonly StateDeclaration[];
}

function operator(uid: OperatorUid, kind: string, more: Partial<PlannedOperator> = {}): PlannedOperator {
  return { uid, name: uid, kind, stateful: true, states: [], links: [], ...more };
}

export function vertex(
  uid: OperatorUid,
  parallelism: number,
  operators: readonly PlannedOperator[],
  more: Partial<PlannedVertex> = {},
): PlannedVertex {
  return { uid, name: uid, parallelism, maxParallelism: 128, maxParallelismDerived: true, operators, ...more };
}

function edge(index: number, from: OperatorUid, to: OperatorUid, partitioner: PlannedEdge['partitioner']): PlannedEdge {
  return { index, from, operator: from, output: '', to, input: 0, partitioner, envelopeBytes: 1_000, compressAboveBytes: 1_000 };
}

/** numbers → count (keyed) → results, three vertices. */
export function planOf(options: PlanOptions = {}): JobPlan {
  const { name = 'counting', sources = 2, counters = 3, maxParallelism = 128, derived = true } = options;
  const states = options.counterStates ?? [{ name: 'total', kind: 'value' }];
  return {
    format: 1,
    name,
    parameters: {},
    vertices: [
      vertex(source, sources, [
        operator(source, 'source', { connector: { connector: 'collection', options: {}, guarantee: 'exactly-once' } }),
      ]),
      vertex(counter, counters, [operator(counter, 'process', { states })], { maxParallelism, maxParallelismDerived: derived }),
      vertex(sink, 1, [operator(sink, 'sink', { connector: { connector: 'collect', options: {}, guarantee: 'exactly-once' } })]),
    ],
    edges: [edge(0, source, counter, 'hash'), edge(1, counter, sink, 'rebalance')],
  };
}
