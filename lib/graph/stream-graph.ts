/**
 * StreamGraph: what a job's build function described, as plain frozen data: operators and the edges between them. User functions are not in it;
 * the registry made beside it finds them by uid. The graph may be wrong: the planner validates it, and `problems` holds what was wrong already
 * when it was written down.
 */
import type { OperatorUid } from '../base/ids.ts';
import type { ConnectorSpec, Partitioner, StateDeclaration } from '../model/job-plan.ts';
import type { GraphProblem } from './graph-problem.ts';

export interface GraphNode {
  /** Place in `nodes`: an operator comes after those that it reads from. */
  readonly id: number;
  readonly uid: OperatorUid;
  /** False where the uid was derived, because the user gave none. */
  readonly uidGiven: boolean;
  readonly name: string;
  readonly kind: string;
  readonly role: 'source' | 'operator' | 'sink';
  readonly states: readonly StateDeclaration[];
  readonly connector?: ConnectorSpec;
  /** Sinks: what they write to. */
  readonly target?: string;
  /** Number of inputs. */
  readonly inputs: number;
  readonly keyed: boolean;
  readonly eventTime: boolean;
  /** Sources: whether they make watermarks. */
  readonly watermarks?: boolean;
  readonly parallelism?: number;
  readonly maxParallelism?: number;
  readonly chaining: Chaining;
  readonly buffers?: BufferSettings;
  readonly onError?: 'dead-letter';
}

/** How what an operator sends to other functions is put together into envelopes. */
export interface BufferSettings {
  /** How long records that do not fill an envelope may wait for more. */
  readonly timeoutMs?: number;
  /** The size of a full one. */
  readonly bytes?: number;
}

/** `head`: begins a chain, others may follow. `never`: stands alone. */
export type Chaining = 'always' | 'head' | 'never';

export interface GraphEdge {
  readonly from: number;
  /** '' = main output, else a side output's tag. */
  readonly output: string;
  readonly to: number;
  readonly input: number;
  readonly partitioner: Partitioner;
}

export interface StreamGraph {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Of operators that set none. */
  readonly buffers?: BufferSettings;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly problems: readonly GraphProblem[];
}
