/** Everything that can be wrong with a graph, as a closed catalogue; all problems of a job are reported in one error. */
import { SluiceError } from '../base/errors.ts';

export type GraphProblemCode =
  | 'uid-missing'
  | 'uid-duplicate'
  | 'uid-invalid'
  | 'uid-misplaced'
  | 'name-invalid'
  | 'state-name-invalid'
  | 'state-duplicate'
  | 'side-output-invalid'
  | 'parallelism-invalid'
  | 'max-parallelism-invalid'
  | 'parallelism-above-max'
  | 'window-invalid'
  | 'merge-missing'
  | 'lateness-invalid'
  | 'watermarks-invalid'
  | 'watermarks-missing'
  | 'limit-invalid'
  | 'buffer-invalid'
  | 'connector-unusable'
  | 'output-shared'
  | 'intake-shared'
  | 'sink-unkeyed'
  | 'output-unread'
  | 'dead-letters-unread'
  | 'graph-empty'
  | 'input-missing'
  | 'cycle'
  | 'edge-invalid'
  | 'foreign-stream';

export interface GraphProblem {
  readonly code: GraphProblemCode;
  /** Which operator, as the user knows it: its uid, or its kind and place. */
  readonly where: string;
  readonly message: string;
  readonly hint: string;
}

export function graphInvalid(job: string, problems: readonly GraphProblem[]): SluiceError {
  const lines = problems.map(({ code, where, message, hint }) => `  ${where}: ${message} (${code}). ${hint}`);
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new SluiceError('SLUICE-GRAPH-INVALID', `the graph of job ${job} has ${count}:\n${lines.join('\n')}`, {
    hint: 'Correct the job file; every problem found is listed.',
    facts: { job, problems },
  });
}
