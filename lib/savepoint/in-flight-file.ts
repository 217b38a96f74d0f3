/**
 * In-flight records of a savepoint's checkpoint: out of the senders' segments, as lines.
 *
 * FF1. A line is one record of one channel, in the channel's order; barriers and watermarks are not state.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { errorMessage } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { ChannelId } from '../base/ids.ts';
import { inFlightChannels } from '../checkpoint/in-flight.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { decodeEnvelope, readMessage } from '../model/envelope-codec.ts';
import { readSegmentEnvelopes, segmentNames } from '../model/segment-envelopes.ts';
import type { ShardSnapshot } from '../model/shard-record.ts';
import { NO_TIMESTAMP } from '../model/time.ts';
import { decodeValue, encodeValue } from '../model/value-json.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { corruptFile, keyedCodec } from './keyed-file.ts';
import type { InFlightFile } from './savepoint-metadata.ts';

/** What one shard had sent and its receivers had not taken. */
export interface InFlightUnit {
  readonly kind: 'in-flight';
  readonly sender: ShardSnapshot;
  readonly channels: ReadonlyMap<ChannelId, { readonly after: number; readonly upTo: number; readonly begun: number }>;
}

interface InFlightRecord {
  readonly channel: ChannelId;
  readonly timestamp: number;
  readonly value: unknown;
}

/** Fewer lines than an envelope may hold records. */
const recordsPerFile = limits.envelopeRecordsMax;

export function inFlightUnits(manifest: Manifest): readonly InFlightUnit[] {
  const all = inFlightChannels(manifest);
  return manifest.shards.flatMap((sender): InFlightUnit[] => {
    const own = all.filter(({ edge, from }) => edge.from === sender.uid && from === sender.shard);
    const channels = new Map(own.map(({ channel, after, upTo, begun }) => [channel, { after, upTo, begun }]));
    return channels.size === 0 || sender.inFlight === undefined ? [] : [{ kind: 'in-flight', sender, channels }];
  });
}

/** The records in pages of one file each. */
export async function* inFlightPages(objects: ObjectStore, { sender, channels }: InFlightUnit, read: Read): AsyncGenerator<InFlightPage> {
  let page = new InFlightPage();
  for (const list of sender.inFlight ?? []) {
    for (const name of await segmentNames(list, (key) => read(objects, key))) {
      for (const body of readSegmentEnvelopes(await read(objects, name), name)) {
        const message = readMessage(body);
        const range = message.kind === 'data' ? channels.get(message.header.channel) : undefined;
        if (message.kind !== 'data' || range === undefined) continue;
        const { channel, sequence } = message.header;
        if (sequence <= range.after || sequence > range.upTo) continue;
        const { values, timestamps } = decodeEnvelope(body);
        for (let i = sequence === range.after + 1 ? range.begun : 0; i < values.length; i++) {
          if (page.isFull()) {
            yield page;
            page = new InFlightPage();
          }
          page.add({ channel, timestamp: timestamps[i]!, value: values[i] });
        }
      }
    }
  }
  if (page.rows > 0) yield page;
}

type Read = (objects: ObjectStore, key: string) => Promise<Uint8Array>;

class InFlightPage {
  readonly #lines: string[] = [];
  #characters = 0;
  readonly channels = new Map<ChannelId, number>();

  get rows(): number {
    return this.#lines.length;
  }

  isFull(): boolean {
    return this.#lines.length >= recordsPerFile || this.#characters >= limits.savepointCharactersPerFile;
  }

  /** By hand, because the value is JSON already. */
  add({ channel, timestamp, value }: InFlightRecord): void {
    const at = timestamp === NO_TIMESTAMP ? 'null' : String(timestamp);
    const line = `{"channel":${JSON.stringify(channel)},"timestamp":${at},"value":${encodeValue(value)}}\n`;
    this.#lines.push(line);
    this.#characters += line.length;
    this.channels.set(channel, (this.channels.get(channel) ?? 0) + 1);
  }

  encode(): Uint8Array {
    return zstdCompressSync(Buffer.from(this.#lines.join(''), 'utf8'));
  }
}

/** @throws SluiceError `SLUICE-SAVEPOINT-CORRUPT` naming file and line */
export function decodeInFlight(file: InFlightFile, bytes: Uint8Array): readonly InFlightRecord[] {
  const lines = decompress(file, bytes).split('\n');
  if (lines.pop() !== '') throw corruptFile(file.path, 'its last line is cut off');
  if (lines.length !== file.rows) throw corruptFile(file.path, `it has ${lines.length} lines, not ${file.rows}`);
  const records = lines.map((line, index) => readLine(line, `line ${index + 1}`, file));
  for (const [channel, rows] of Object.entries(file.channels)) {
    const found = records.filter((record) => record.channel === channel).length;
    if (found !== rows) throw corruptFile(file.path, `it has ${found} records of channel ${channel}, not ${rows}`);
  }
  return records;
}

function readLine(line: string, where: string, { path, channels }: InFlightFile): InFlightRecord {
  let entry: { readonly channel?: unknown; readonly timestamp?: unknown; readonly value?: unknown };
  try {
    entry = decodeValue(line) as typeof entry;
  } catch {
    throw corruptFile(path, `${where} is not JSON`);
  }
  const { channel, timestamp } = entry;
  const fits = typeof channel === 'string' && Object.hasOwn(channels, channel) && (timestamp === null || Number.isSafeInteger(timestamp));
  if (!fits || !('value' in entry)) throw corruptFile(path, `${where} lacks a field`);
  return { channel: channel as ChannelId, timestamp: timestamp === null ? NO_TIMESTAMP : (timestamp as number), value: entry.value };
}

function decompress({ path, codec }: InFlightFile, bytes: Uint8Array): string {
  if (codec !== keyedCodec) throw corruptFile(path, `its codec ${codec} is unknown`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(zstdDecompressSync(bytes));
  } catch (error) {
    throw corruptFile(path, `it does not decompress (${errorMessage(error)})`);
  }
}
