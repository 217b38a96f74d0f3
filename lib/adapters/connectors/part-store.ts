/** Where the parts of a two-phase sink are: a folder, or a prefix on S3. */
import type { CheckpointId, JobId } from '../../base/ids.ts';
import type { SinkPart } from '../../model/shard-record.ts';

export type PartPlace = Pick<SinkPart, 'staged' | 'target'>;

/** Every step may be done twice and by several at once: whoever begins again ends where one try would have. */
export interface PartStore {
  /** For people. */
  readonly path: string;
  /** Returns the part's bytes. What is staged or published already is not staged again. */
  stage(job: JobId, place: PartPlace, pieces: Iterable<Uint8Array>): Promise<number>;
  /** @throws SluiceError `SLUICE-PART-MISSING` where it is neither staged nor published, `SLUICE-PART-CONFLICT` where the target holds something else */
  publish(place: PartPlace): Promise<'published' | 'already'>;
  /** Staged parts of the job whose checkpoint is between; returns how many. */
  discard(job: JobId, above: CheckpointId, below: CheckpointId): Promise<number>;
  read(place: PartPlace): Promise<Uint8Array | undefined>;
  /** What an error of the store means to whoever can do something about it. */
  explain(error: unknown): {
    readonly text: string;
    readonly hint: string;
    readonly code: string | undefined;
    readonly isPermanent: boolean;
  };
}
