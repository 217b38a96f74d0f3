/** What an intake and the source that reads its log agree on. A log has a fixed number of partitions, which are the source's splits. */
import { murmur3 } from '../base/murmur3.ts';
import type { ConnectorSpec } from './job-plan.ts';

/** The connector of every push source. */
export const intakeConnector = 'intake';

export interface IntakeOptions {
  /** Of the log, and of what feeds it. */
  readonly intake: string;
  readonly kind: 'sqs' | 'http';
  readonly partitions: number;
  /** A record is a duplicate where its identity stands among so many before it in its partition, taken in at most so much earlier. */
  readonly duplicateRecords: number;
  readonly duplicateMs: number;
  /** Entries are kept so long at least, whatever has been read: an older savepoint may want them. */
  readonly keptMs: number;
}

/** In the place of a record's text, where one of the same identity came before it and says something else. */
export interface ConflictingRecord {
  readonly conflicting: string;
}

/** undefined: it is no push source. The graph has checked them (lib/connectors/push-sources.ts). */
export function intakeOptionsOf(spec: ConnectorSpec | undefined): IntakeOptions | undefined {
  return spec?.connector === intakeConnector ? (spec.options as unknown as IntakeOptions) : undefined;
}

/** It says how many there are: a source does not go on with a log that was dealt out otherwise. */
export function partitionIds(partitions: number): readonly string[] {
  return Array.from({ length: partitions }, (_, index) => partitionId(index, partitions));
}

/** Where the records of a key go: duplicates meet there. */
export function partitionOf(key: string, partitions: number): string {
  return partitionId((murmur3(key) >>> 0) % partitions, partitions);
}

function partitionId(index: number, partitions: number): string {
  return `${String(index).padStart(3, '0')}-of-${partitions}`;
}
