/**
 * In-flight records of a savepoint into segments of the job that goes on from it.
 *
 * FF2. What an import makes of a file follows from metadata and file alone: a second try makes the same.
 */
import type { ChannelId } from '../base/ids.ts';
import { limits } from '../base/limits.ts';
import { encodeEnvelope } from '../model/envelope-codec.ts';
import { segmentKey } from '../model/object-keys.ts';
import { packRecords } from '../model/packed-records.ts';
import { encodeEnvelopes } from '../model/segment-envelopes.ts';
import type { ShardSnapshot } from '../model/shard-record.ts';
import { importAttempt, type ImportTarget } from './import-target.ts';
import { decodeInFlight } from './in-flight-file.ts';
import type { InFlightFile, SavepointMetadata } from './savepoint-metadata.ts';

/** Where an import puts the file's records, and with which numbers: one envelope per channel. */
export function importedSegment(
  metadata: SavepointMetadata,
  { job, importId }: ImportTarget,
  file: InFlightFile,
): { readonly key: string; readonly sequences: ReadonlyMap<string, number> } {
  const earlier = filesOf(metadata, file).slice(0, filesOf(metadata, file).indexOf(file));
  const key = segmentKey({ job, uid: file.from, shard: file.shard }, importAttempt, earlier.length + 1, importId);
  const before = (channel: string): number => earlier.filter(({ channels }) => Object.hasOwn(channels, channel)).length;
  return { key, sequences: new Map(Object.keys(file.channels).map((channel) => [channel, before(channel) + 1])) };
}

/** Of the same sender, in order. */
function filesOf({ inFlight = [] }: SavepointMetadata, { from, shard }: Pick<InFlightFile, 'from' | 'shard'>): readonly InFlightFile[] {
  return inFlight.filter((file) => file.from === from && file.shard === shard);
}

export function segmentOfFile(metadata: SavepointMetadata, target: ImportTarget, file: InFlightFile, bytes: Uint8Array): Uint8Array {
  const { key, sequences } = importedSegment(metadata, target, file);
  const records = Map.groupBy(decodeInFlight(file, bytes), ({ channel }) => channel);
  const envelopes = [...records].map(([channel, own], index) => {
    const header = {
      job: target.job,
      attempt: importAttempt,
      channel,
      sequence: sequences.get(channel)!,
      epoch: 0,
      segment: key,
      index,
      records: own.length,
      events: [],
    };
    const packed = packRecords(own.map(({ value }) => value), own.map(({ timestamp }) => timestamp), { compressAbove: limits.compressAboveBytes }); // prettier-ignore
    return encodeEnvelope(header, packed);
  });
  return encodeEnvelopes(envelopes);
}

/** What the new job's manifest says of a shard that had sent what was in flight: positions from 0 on, in the imported segments. */
export function importedInFlight(
  metadata: SavepointMetadata,
  target: ImportTarget,
  of: Pick<ShardSnapshot, 'uid' | 'shard'>,
): Partial<Pick<ShardSnapshot, 'inFlight'>> & Pick<ShardSnapshot, 'outputs'> {
  const files = filesOf(metadata, { from: of.uid, shard: of.shard });
  const outputs: Record<ChannelId, number> = {};
  for (const { channels } of files)
    for (const channel of Object.keys(channels) as ChannelId[]) outputs[channel] = (outputs[channel] ?? 0) + 1;
  if (files.length === 0) return { outputs };
  const recent = files.map((file) => importedSegment(metadata, target, file).key);
  return { outputs, inFlight: [{ epoch: 0, recent, chained: null }] };
}
