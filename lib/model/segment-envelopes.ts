/** The envelopes of a segment (docs/formats/segment.md), for those who need nothing else of it: the replay of in-flight data, savepoints. */
import { parseJson } from '../base/parse-json.ts';
import { ByteReader, corrupt } from './byte-buffer.ts';
import type { SegmentIndex, SegmentList } from './shard-record.ts';

export const segmentFormat = 1;

/** All segment names of a list, oldest first. `readIndex` throws where the object is missing. */
export async function segmentNames(list: SegmentList, readIndex: (key: string) => Promise<Uint8Array>): Promise<string[]> {
  const pages: (readonly string[])[] = [list.recent];
  for (let key = list.chained; key !== null;) {
    const bytes = await readIndex(key);
    const index = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as SegmentIndex;
    if (index.then !== undefined) pages.push(await segmentNames(index.then, readIndex));
    pages.push(index.segments);
    key = index.previous;
  }
  return pages.reverse().flat();
}

export function readSegmentEnvelopes(bytes: Uint8Array, what: string): Uint8Array[] {
  const reader = new ByteReader(bytes, what);
  const version = reader.byte();
  if (version !== segmentFormat) throw corrupt(what, `its format is ${version}, this version reads ${segmentFormat}`);
  const { envelopes } = (reader.json() ?? {}) as { readonly envelopes?: readonly { readonly bytes: number }[] };
  if (!Array.isArray(envelopes)) throw corrupt(what, 'its header is not that of a segment');
  return (envelopes as readonly { readonly bytes: number }[]).map(({ bytes: size }) => reader.raw(size));
}

/** A segment that nobody sends: its envelopes are there to be replayed. */
export function encodeEnvelopes(envelopes: readonly Uint8Array[]): Uint8Array {
  const header = {
    envelopes: envelopes.map(({ length }) => ({ queue: '', group: '', dedup: '', bytes: length })),
    state: 0,
    sinks: [],
    stage: [],
    self: [],
    coordinator: [],
  };
  const head = Buffer.from(JSON.stringify(header), 'utf8');
  const prefix = Buffer.allocUnsafe(5);
  prefix[0] = segmentFormat;
  prefix.writeUInt32LE(head.length, 1);
  return Buffer.concat([prefix, head, ...envelopes]);
}
