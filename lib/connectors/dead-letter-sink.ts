/** The sink behind every operator that sets records aside: an ordinary two-phase one, so a dead letter is there once, when its checkpoint is complete. */
import type { OperatorUid } from '../base/ids.ts';
import { deadLetterConnector } from '../model/dead-letter.ts';
import { committerSink } from './committer-sinks.ts';
import type { Sink } from './sink.ts';

export function deadLetterSink(operator: OperatorUid): Omit<Sink<unknown>, 'target'> {
  const connector = { connector: deadLetterConnector, options: { operator }, guarantee: 'exactly-once' } as const;
  const { target: _none, ...sink } = committerSink<unknown>(`dead letters of ${operator}`, '', connector);
  return sink;
}
