/**
 * JobPlan: plain data, the only thing that infra, runtime and coordinator share. Made by the planner from a StreamGraph, golden-tested.
 * User functions are not in it: the registry that is built from the same StreamGraph finds them by operator uid.
 */
import type { OperatorUid } from '../base/ids.ts';

export type Partitioner = 'forward' | 'hash' | 'rebalance' | 'broadcast';

/** State as the plan declares it: what a restore checks before anything stops. */
export interface StateDeclaration {
  readonly name: string;
  readonly kind:
    | 'value'
    | 'list'
    | 'map'
    | 'reducing'
    | 'aggregating'
    | 'window'
    | 'timers'
    | 'operator-list'
    | 'operator-union'
    | 'broadcast'
    | 'accumulator';
  readonly ttlMs?: number;
  /** What several subtasks hold cannot become one: the parallelism may not fall. */
  readonly unmergeable?: boolean;
}

/** Where a chained operator takes its input from inside the chain. `output` is '' for the main output, else a side output's tag. */
export interface ChainLink {
  readonly from: OperatorUid;
  readonly output: string;
  readonly input: number;
}

export interface PlannedOperator {
  readonly uid: OperatorUid;
  readonly name: string;
  /** For people and the restore check: `source`, `map`, `process`, `window`, `sink` … */
  readonly kind: string;
  readonly stateful: boolean;
  readonly states: readonly StateDeclaration[];
  /** Empty for the head of the chain. */
  readonly links: readonly ChainLink[];
  /** Connector and its options as plain data, for sources and sinks. */
  readonly connector?: ConnectorSpec;
  /** Absent: what it fails at fails the batch. */
  readonly onError?: 'dead-letter';
}

export interface ConnectorSpec {
  /** Names the adapter: `file`, `collection` … The scheme of the URI picks it. */
  readonly connector: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly guarantee: 'exactly-once' | 'at-least-once' | 'idempotent' | 'none';
}

/** A chain of operators that run in one function; named by the uid of its head. */
export interface PlannedVertex {
  readonly uid: OperatorUid;
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** False where the user fixed the number: a restore must keep it. */
  readonly maxParallelismDerived: boolean;
  readonly operators: readonly PlannedOperator[];
}

export interface PlannedEdge {
  readonly index: number;
  readonly from: OperatorUid;
  /** The operator in the upstream chain that emits, and on which of its outputs. */
  readonly operator: OperatorUid;
  readonly output: string;
  readonly to: OperatorUid;
  readonly input: number;
  readonly partitioner: Partitioner;
  readonly envelopeBytes: number;
  readonly compressAboveBytes: number;
  /** Records that do not fill an envelope may linger so long. Absent: every commit sends what it has. */
  readonly bufferTimeoutMs?: number;
}

export interface JobPlan {
  readonly format: 1;
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly vertices: readonly PlannedVertex[];
  readonly edges: readonly PlannedEdge[];
}

export function vertexOf(plan: JobPlan, uid: OperatorUid): PlannedVertex {
  const vertex = plan.vertices.find((candidate) => candidate.uid === uid);
  if (vertex === undefined) throw new RangeError(`the plan has no vertex ${uid}`);
  return vertex;
}

export function isSourceVertex(plan: JobPlan, uid: OperatorUid): boolean {
  return plan.edges.every((edge) => edge.to !== uid);
}
