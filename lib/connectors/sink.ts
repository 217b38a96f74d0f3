import type { ConnectorSpec, StateDeclaration } from '../model/job-plan.ts';
import type { StreamOperator } from '../operators/operator.ts';
import type { ConnectorProblem } from './source.ts';

/** Sinks as a job names them. A sink with a connector hands its records to a committer behind a port; others work inside the chain. */
export interface Sink<T> {
  /** For people. */
  readonly name: string;
  readonly states: readonly StateDeclaration[];
  readonly create: () => StreamOperator;
  readonly connector?: ConnectorSpec;
  /** Records for which it is the same go to one subtask, in order: the stream is dealt out by it, whatever it was keyed by before. */
  readonly keyOf?: (value: unknown) => unknown;
  /** What it writes to: no two sinks of a job may have the same. */
  readonly target?: string;
  readonly problem?: ConnectorProblem;
  /** Never set: carries the type. */
  readonly accepts?: (value: T) => void;
}
