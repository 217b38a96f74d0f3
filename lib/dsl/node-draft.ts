/** Operators and streams as the build function describes them, before they are a graph. */
import type { BufferSettings, Chaining } from '../graph/stream-graph.ts';
import type { ConnectorSpec, Partitioner, StateDeclaration } from '../model/job-plan.ts';
import type { ErrorPolicy } from '../model/dead-letter.ts';
import type { KeySelector, StreamOperator, WatermarkStrategy } from '../operators/operator.ts';
import type { Pipeline } from './pipeline.ts';

/** One output of an operator. */
export interface Endpoint {
  readonly node: NodeDraft;
  readonly output: string;
  /** How its records are dealt out to the subtasks of the next operator. */
  readonly partitioner: Partitioner;
}

export interface InputDraft {
  /** Several where streams were united. */
  readonly endpoints: readonly Endpoint[];
  readonly keySelector?: KeySelector;
}

export function partitioned({ endpoints }: InputDraft, partitioner: Partitioner, keySelector?: KeySelector): InputDraft {
  return { endpoints: endpoints.map((endpoint) => ({ ...endpoint, partitioner })), ...(keySelector === undefined ? {} : { keySelector }) };
}

export interface NodeFacts {
  readonly kind: string;
  readonly role: 'source' | 'operator' | 'sink';
  readonly states: readonly StateDeclaration[];
  readonly inputs: readonly InputDraft[];
  readonly create?: () => StreamOperator;
  readonly source?: { readonly watermarks: WatermarkStrategy; readonly decode?: (value: unknown) => unknown };
  readonly connector?: ConnectorSpec;
  readonly target?: string;
  readonly eventTime?: boolean;
  readonly name?: string;
}

/** What the fluent methods set afterwards. */
export interface NodeDraft {
  readonly facts: NodeFacts;
  readonly pipeline: Pipeline;
  uid: string | undefined;
  name: string;
  parallelism: number | undefined;
  maxParallelism: number | undefined;
  chaining: Chaining;
  buffers: BufferSettings;
  onError: ErrorPolicy;
}
