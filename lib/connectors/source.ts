/** Sources as a job names them: plain data for the adapter that reads, and how a value becomes a record. No I/O here. */
import type { ErrorPolicy } from '../model/dead-letter.ts';
import type { ConnectorSpec } from '../model/job-plan.ts';
import { outputTag } from '../operators/output-tag.ts';
import type { MalformedRecord } from '../ports/connectors.ts';

export interface Source<T> {
  /** For people. */
  readonly name: string;
  readonly connector: ConnectorSpec;
  readonly decode?: (value: unknown) => T;
  /** What the source does with a record that cannot be read, where the job does not say: of a push source it must not hold up the others. */
  readonly onError?: ErrorPolicy;
  /** Why it cannot be used; reported with all other errors of the graph. */
  readonly problem?: ConnectorProblem;
  /** Never set: carries the type. */
  readonly type?: T;
}

export interface ConnectorProblem {
  readonly message: string;
  readonly hint: string;
}

export interface RecordsOptions {
  /** Reads the first so many records only; they count from the beginning of the source, over restores too. */
  readonly limit?: number | undefined;
  /** What a record that cannot be read does: fails the job with its file and position, or goes to the side output `malformedRecords`. */
  readonly onMalformed?: 'fail' | 'dead-letter';
}

/** Side output of a source that was told `onMalformed: 'dead-letter'`: what could not be read, with its place and the reason. */
export const malformedRecords = outputTag<MalformedRecord>('malformed');
