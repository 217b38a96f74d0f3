/**
 * Envelopes and control messages as bytes: `S`, format version, kind, flags, header length, header as JSON, payload (docs/formats/envelope.md).
 * The header can be read without touching the payload, so that duplicates and stashed envelopes cost nothing.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { SluiceError } from '../base/errors.ts';
import { ByteReader, ByteWriter, corrupt } from './byte-buffer.ts';
import { readColumn, writeColumn } from './column-codec.ts';
import type { ControlMessage, Envelope, EnvelopeHeader } from './envelope.ts';

const magic = 0x53;
const formatVersion = 1;
const kinds = { data: 1, control: 2 } as const;
const compressedFlag = 1;
/** The body stands in the sender's segment only: the message is its header. */
const claimFlag = 2;
const prefixBytes = 8;

export type Message =
  | { readonly kind: 'data'; readonly header: EnvelopeHeader; readonly claimed: boolean }
  | { readonly kind: 'control'; readonly control: ControlMessage };

/** The records of an envelope, packed. Made before its header is known: sequence and segment are given at the commit. */
export interface PackedRecords {
  readonly payload: Uint8Array;
  readonly compressed: boolean;
}

/** Compression pays when a message costs by its size; below `compressAbove` bytes it is not tried. */
export function packRecords(values: readonly unknown[], timestamps: readonly number[], compressAbove: number): PackedRecords {
  const writer = new ByteWriter(values.length * 24 + 64);
  writeColumn(writer, timestamps);
  writeColumn(writer, values);
  const plain = writer.finish();
  if (plain.length <= compressAbove) return { payload: plain, compressed: false };
  const packed = zstdCompressSync(plain);
  return packed.length < plain.length ? { payload: packed, compressed: true } : { payload: plain, compressed: false };
}

export function encodeEnvelope(header: EnvelopeHeader, packed: PackedRecords): Uint8Array {
  return assemble(kinds.data, packed.compressed ? compressedFlag : 0, header, packed.payload);
}

export function encodeControl(message: ControlMessage): Uint8Array {
  return assemble(kinds.control, 0, message, undefined);
}

/** Claim check: for a body that is larger than a message may be. */
export function claimCheck(body: Uint8Array): Uint8Array {
  const { header, flags } = open(body);
  return assemble(kinds.data, flags | claimFlag, header as object, undefined);
}

function assemble(kind: number, flags: number, header: object, payload: Uint8Array | undefined): Uint8Array {
  const head = Buffer.from(JSON.stringify(header), 'utf8');
  const out = Buffer.allocUnsafe(prefixBytes + head.length + (payload?.length ?? 0));
  out[0] = magic;
  out[1] = formatVersion;
  out[2] = kind;
  out[3] = flags;
  out.writeUInt32LE(head.length, 4);
  out.set(head, prefixBytes);
  if (payload !== undefined) out.set(payload, prefixBytes + head.length);
  return out;
}

/** @throws SluiceError `SLUICE-DATA-CORRUPT` or `SLUICE-FORMAT-NEWER` */
export function readMessage(bytes: Uint8Array): Message {
  const { kind, header, flags } = open(bytes);
  if (kind === kinds.data) return { kind: 'data', header: header as EnvelopeHeader, claimed: (flags & claimFlag) !== 0 };
  if (kind === kinds.control) return { kind: 'control', control: header as ControlMessage };
  throw corrupt('a message', `unknown kind ${kind}`);
}

export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const { header: parsed, flags, payload } = open(bytes);
  const header = parsed as EnvelopeHeader;
  const what = `envelope ${header.sequence} of channel ${header.channel}`;
  if (header.records === 0) return { header, values: [], timestamps: [] };
  const reader = new ByteReader((flags & compressedFlag) === 0 ? payload : decompress(payload, what), what);
  const timestamps = readColumn(reader, header.records) as number[];
  const values = readColumn(reader, header.records);
  if (reader.remaining !== 0) throw corrupt(what, `${reader.remaining} bytes too many`);
  return { header, values, timestamps };
}

function decompress(payload: Uint8Array, what: string): Uint8Array {
  try {
    return zstdDecompressSync(payload);
  } catch (error) {
    throw corrupt(what, `its records do not decompress (${String(error)})`);
  }
}

function open(bytes: Uint8Array): { kind: number; flags: number; header: unknown; payload: Uint8Array } {
  if (bytes.length < prefixBytes || bytes[0] !== magic) throw corrupt('a message', 'it is not a Sluice message');
  if (bytes[1]! > formatVersion) {
    throw new SluiceError('SLUICE-FORMAT-NEWER', `a message has format ${bytes[1]}, this version reads up to ${formatVersion}`, {
      hint: 'Finish the deployment of the newer version; the message waits until then.',
      facts: { format: bytes[1], supported: formatVersion },
    });
  }
  const reader = new ByteReader(bytes, 'a message', 4);
  const size = reader.uint32();
  const head = reader.raw(size);
  return { kind: bytes[2]!, flags: bytes[3]!, header: parseHeader(head), payload: bytes.subarray(reader.position) };
}

function parseHeader(head: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8'));
  } catch {
    throw corrupt('a message', 'its header is not JSON');
  }
}
