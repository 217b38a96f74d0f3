/** Sinks whose records go to a committer: collected per checkpoint, staged before it completes, published after. */
import type { ConnectorSpec } from '../model/job-plan.ts';
import type { OperatorContext, StreamOperator } from '../operators/operator.ts';
import type { Sink } from './sink.ts';

class CommitterSinkOperator implements StreamOperator {
  #part!: { write(value: unknown): void };

  open(context: OperatorContext): void {
    this.#part = context.sink();
  }

  process(_input: number, value: unknown): void {
    this.#part.write(value);
  }
}

/** NDJSON files in a folder, exactly once: a file appears, whole, when its checkpoint is complete. */
export function fileSink<T>(uri: string): Sink<T> {
  const folder = uri.length > 1 ? uri.replace(/\/+$/, '') : uri;
  return committerSink(`files ${folder}`, `ndjson-files ${folder}`, {
    connector: 'ndjson-files',
    options: { uri: folder },
    guarantee: 'exactly-once',
  });
}

/** Hands the committed records to the program that runs the job, under a name: for tests. */
export function collectSink<T>(name: string): Sink<T> {
  return committerSink(`collect ${name}`, `collect ${name}`, { connector: 'collect', options: { name }, guarantee: 'exactly-once' });
}

function committerSink<T>(name: string, target: string, connector: ConnectorSpec): Sink<T> {
  return { name, states: [], connector, target, create: () => new CommitterSinkOperator() };
}
