/** Sinks whose records go to a committer: collected per checkpoint, staged before it completes, published after. */
import { inspect } from 'node:util';
import { SluiceError } from '../base/errors.ts';
import type { OperatorUid } from '../base/ids.ts';
import type { ConnectorSpec } from '../model/job-plan.ts';
import { plainJsonProblem, plainJsonProblemText, type PlainJsonProblem } from '../model/plain-json.ts';
import type { OperatorContext, StreamOperator } from '../operators/operator.ts';
import type { Sink } from './sink.ts';

/** Whether a record can be written. Asked before the commit: after it the record would stand in the way for ever. */
type RecordCheck = (value: unknown) => PlainJsonProblem | undefined;

class CommitterSinkOperator implements StreamOperator {
  readonly #problemIn: RecordCheck | undefined;
  #part!: { write(value: unknown): void };
  #uid!: OperatorUid;

  constructor(problemIn: RecordCheck | undefined) {
    this.#problemIn = problemIn;
  }

  open(context: OperatorContext): void {
    this.#part = context.sink();
    this.#uid = context.uid;
  }

  process(_input: number, value: unknown): void {
    const problem = this.#problemIn?.(value);
    if (problem !== undefined) throw unsupported(this.#uid, value, problem);
    this.#part.write(value);
  }
}

const shownCharactersMax = 1_000;

function unsupported(operator: OperatorUid, value: unknown, problem: PlainJsonProblem): SluiceError {
  return new SluiceError('SLUICE-SINK-RECORD-UNSUPPORTED', `a record at the sink ${operator} holds ${plainJsonProblemText(problem)}`, {
    hint: 'Map the records before the sink to strings, finite numbers, booleans, null, arrays and plain objects: a Date to its ISO text, a bigint to text.',
    facts: { operator, ...problem, written: inspect(value, { customInspect: false, breakLength: Infinity }).slice(0, shownCharactersMax) },
  });
}

/** NDJSON files in a folder or below a prefix on S3 (`s3://bucket/prefix`), exactly once: a file appears, whole, when its checkpoint is complete. */
export function fileSink<T>(uri: string): Sink<T> {
  // On S3 `out//daily` would be another key than `out/daily`; the sink writes to the second for both.
  const plain = /^s3:/i.test(uri) ? uri.replace(/(?<!:)\/{2,}/g, '/') : uri;
  const folder = plain.length > 1 ? plain.replace(/\/+$/, '') : plain;
  const connector: ConnectorSpec = { connector: 'ndjson-files', options: { uri: folder }, guarantee: 'exactly-once' };
  return committerSink(`files ${folder}`, `ndjson-files ${folder}`, connector, plainJsonProblem);
}

/** Hands the committed records to the program that runs the job, under a name: for tests. */
export function collectSink<T>(name: string): Sink<T> {
  return committerSink(`collect ${name}`, `collect ${name}`, { connector: 'collect', options: { name }, guarantee: 'exactly-once' });
}

export function committerSink<T>(name: string, target: string, connector: ConnectorSpec, problemIn?: RecordCheck): Sink<T> {
  return { name, states: [], connector, target, create: () => new CommitterSinkOperator(problemIn) };
}
