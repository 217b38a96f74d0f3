/**
 * Restored is uninterrupted: a job that goes on from a savepoint shows exactly what was not yet visible at it, whatever the job that it was taken of has shown
 * since.
 */
import type { CollectSink } from '../../adapters/connectors/collect-sink.ts';
import type { JobId } from '../../base/ids.ts';
import type { SavepointFolders } from '../../ports/savepoint-folder.ts';
import { openSavepoint } from '../../savepoint/open-savepoint.ts';
import { partOf, type PartOf } from './part-of.ts';
import type { TakenSavepoint } from './people.ts';

/** Records of a sink as `next`, which went on from the savepoint, and its history show them. */
export type Continued = (sink: string) => readonly unknown[];

export async function continuedFrom(
  { location, jobs, forgotten }: TakenSavepoint,
  next: JobId,
  folders: SavepointFolders,
  collect: Pick<CollectSink, 'publishedParts'>,
): Promise<Continued> {
  const { checkpoint } = await openSavepoint(folders.at(location));
  const last = jobs.at(-1)!;
  const counts = (part: PartOf): boolean => {
    if (part.isOf(next)) return true;
    if (part.isOf(last)) return part.checkpoint <= checkpoint;
    return jobs.some((job) => part.isOf(job));
  };
  return (sink) =>
    [...collect.publishedParts(sink)]
      .filter(([target]) => !forgotten.has(target) && counts(partOf(target)))
      .flatMap(([, records]) => records);
}
