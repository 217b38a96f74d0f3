import type { Attempt, CheckpointId, JobId, OperatorUid } from '../base/ids.ts';
import type { ConnectorSpec } from '../model/job-plan.ts';
import type { SinkPart } from '../model/shard-record.ts';

export interface ReadResult {
  readonly values: readonly unknown[];
  /** After the last value; plain data. Handed back, it goes on exactly there. */
  readonly position: unknown;
  /** The split has no more, for ever. */
  readonly ended: boolean;
  /** What could not be read, where the source's option `onMalformed` is `dead-letter`: goes to its side output `malformed`. */
  readonly malformed?: readonly MalformedRecord[];
}

/** A record that could not be read: plain data, for people and for a later repair. */
export interface MalformedRecord {
  readonly split: string;
  /** Where it stands, in the connector's own terms: a line, a row. */
  readonly position: string;
  readonly reason: string;
  /** What stands there, cut off where it is long. */
  readonly text: string;
}

/** Reads one split of a source from a position. The same position gives the same records, in the same order. */
export interface SplitReader {
  /** Stable ids; called once when the job starts from nothing. */
  splits(source: ConnectorSpec): Promise<readonly string[]>;
  /**
   * `position` null = from the beginning. An empty result that has not ended means: nothing yet, if its position says the same as the one given, and else
   * that what was passed over held no records; then it is asked again at once.
   */
  read(source: ConnectorSpec, split: string, position: unknown, options: { readonly recordsMax: number }): Promise<ReadResult>;
  /**
   * Of a push source, which is told of what comes in: whether a position lies behind that entry of the split. Where a reader has it, the source rests once it
   * has found nothing, instead of looking again.
   */
  readonly hasPassed?: (position: unknown, entry: number) => boolean;
  /** Its records are as JSON.parse makes them, at their top: plain, without symbols, accessors or hidden properties. Then nobody looks for these. */
  readonly isPlain?: true;
}

export interface PartName {
  readonly job: JobId;
  readonly attempt: Attempt;
  readonly operator: OperatorUid;
  readonly checkpoint: CheckpointId;
  readonly shard: number;
  readonly number: number;
}

/** Of two jobs that write to one place the younger counts. */
export interface Publisher {
  readonly job: JobId;
  readonly createdAtMs: number;
}

/** Two-phase sink. Staged parts are invisible to readers; publishing is idempotent and exactly names what was staged. */
export interface SinkCommitter {
  /** Where the part of that name is staged and published; pure, because the commit names parts before they are staged. */
  locate(sink: ConnectorSpec, name: PartName): Pick<SinkPart, 'staged' | 'target'>;
  /** Idempotent: the same name always brings the same records. What is published already is not staged again. */
  stage(sink: ConnectorSpec, name: PartName, records: readonly unknown[]): Promise<SinkPart>;
  /**
   * `already`: published before, or the staged part is gone. Of one operator's shard in the order of the checkpoints.
   * @throws where the target exists with other content
   */
  publish(sink: ConnectorSpec, part: SinkPart, by: Publisher): Promise<'published' | 'already'>;
  /** After a restore: removes parts staged for checkpoints above `above` and below `below` (the new attempt's first epoch: its own parts stay). */
  discardAbove(sink: ConnectorSpec, job: JobId, above: CheckpointId, below: CheckpointId): Promise<number>;
  /** Copies a part for a savepoint, staged or already published; undefined where it is neither. */
  exportPart(sink: ConnectorSpec, part: SinkPart): Promise<Uint8Array | undefined>;
  /**
   * Stages what was exported for the job that the savepoint is restored to: staged under `name`, published under the target that the part already has.
   * So it becomes visible once, whether the job that made it publishes it, or the one that goes on from it, or both try.
   */
  importPart(sink: ConnectorSpec, name: PartName, part: SinkPart, bytes: Uint8Array): Promise<SinkPart>;
}

/** All connectors of a program, by the name in the spec. */
export interface Connectors {
  readonly sources: Readonly<Record<string, SplitReader>>;
  readonly sinks: Readonly<Record<string, SinkCommitter>>;
}
