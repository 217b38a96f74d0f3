/**
 * Envelopes and control messages as bytes: `S`, format version, kind, flags, header length, header as JSON, payload (docs/formats/envelope.md).
 * The header can be read without touching the payload, so that duplicates and stashed envelopes cost nothing.
 */
import { SluiceError } from '../base/errors.ts';
import { ByteReader, corrupt } from './byte-buffer.ts';
import type { ControlMessage, Envelope, EnvelopeHeader, Message, StreamEvent } from './envelope.ts';
import { unpackRecords, type PackedRecords } from './packed-records.ts';
import { parseJson } from '../base/parse-json.ts';

const magic = 0x53;
const formatVersion = 1;
const kinds = { data: 1, control: 2 } as const;
const compressedFlag = 1;
/** The body stands in the sender's segment only: the message is its header. */
const claimFlag = 2;
const prefixBytes = 8;

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
  if (kind === kinds.data) return { kind: 'data', header: envelopeHeader(header), claimed: (flags & claimFlag) !== 0 };
  if (kind === kinds.control) return { kind: 'control', control: controlMessage(header) };
  throw corrupt('a message', `unknown kind ${kind}`);
}

export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const { kind, header: parsed, flags, payload } = open(bytes);
  if (kind !== kinds.data) throw corrupt('an envelope', `a message of kind ${kind}`);
  const header = envelopeHeader(parsed);
  const what = `envelope ${header.sequence} of channel ${header.channel}`;
  return { header, ...unpackRecords({ payload, compressed: (flags & compressedFlag) !== 0 }, header.records, what) };
}

function open(bytes: Uint8Array): { kind: number; flags: number; header: unknown; payload: Uint8Array } {
  if (bytes.length < prefixBytes || bytes[0] !== magic) throw corrupt('a message', 'it is not a Sluice message');
  if (bytes[1]! > formatVersion) {
    throw new SluiceError('SLUICE-FORMAT-NEWER', `a message has format ${bytes[1]}, this version reads up to ${formatVersion}`, {
      hint: 'Finish the deployment of the newer version; the message waits until then.',
      facts: { format: bytes[1], supported: formatVersion },
      retryable: true,
    });
  }
  if (bytes[1] === 0) throw corrupt('a message', 'its format is 0');
  if ((bytes[3]! & ~(compressedFlag | claimFlag)) !== 0) throw corrupt('a message', `unknown flags ${bytes[3]}`);
  const reader = new ByteReader(bytes, 'a message', 4);
  const size = reader.uint32();
  const head = reader.raw(size);
  return { kind: bytes[2]!, flags: bytes[3]!, header: parseHeader(head), payload: bytes.subarray(reader.position) };
}

function parseHeader(head: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8'));
  } catch {
    throw corrupt('a message', 'its header is not JSON');
  }
}

/** What decides over positions is checked, so that damage is named here and not met as a wrong decision later. */
function envelopeHeader(parsed: unknown): EnvelopeHeader {
  const header = parsed as Partial<EnvelopeHeader> | null;
  const sound =
    typeof header === 'object' &&
    header !== null &&
    [header.job, header.channel, header.segment].every((text) => typeof text === 'string') &&
    [header.attempt, header.sequence, header.epoch, header.index, header.records].every(isCount) &&
    Array.isArray(header.events) &&
    areInOrder(header as EnvelopeHeader);
  if (!sound) throw corrupt('a message', 'its header is not an envelope header');
  return header as EnvelopeHeader;
}

function areInOrder({ events, records }: EnvelopeHeader): boolean {
  let before = 0;
  return events.every((placed: Partial<EnvelopeHeader['events'][number]> | null) => {
    const at = placed?.at;
    if (!isCount(at) || at < before || at > records || !isEvent(placed?.event)) return false;
    before = at;
    return true;
  });
}

function isEvent(event: StreamEvent | undefined): boolean {
  switch (event?.kind) {
    case 'watermark':
      return Number.isSafeInteger(event.timestamp);
    case 'barrier':
      return isCount(event.checkpoint) && isMode(event.mode) && (event.overtakeAtMs === undefined || isCount(event.overtakeAtMs));
    case 'idle':
    case 'end-of-input':
      return true;
    default:
      return false;
  }
}

function controlMessage(parsed: unknown): ControlMessage {
  const control = parsed as Partial<ControlMessage> | null;
  const sound =
    typeof control === 'object' &&
    control !== null &&
    controlKinds.has(control.kind) &&
    typeof control.job === 'string' &&
    isCount(control.attempt) &&
    isCount(control.number) &&
    (control.kind === 'arrived') === (typeof control.split === 'string') &&
    (control.order === undefined || (isCount(control.order.checkpoint) && isMode(control.order.mode))) &&
    (control.order?.overtakeAtMs === undefined || isCount(control.order.overtakeAtMs));
  if (!sound) throw corrupt('a message', 'its header is not a control message');
  return control as ControlMessage;
}

const controlKinds: ReadonlySet<string | undefined> = new Set(['order', 'kick', 'continue', 'wake', 'flush', 'arrived']);

function isMode(mode: unknown): boolean {
  return mode === undefined || mode === 'exactly-once' || mode === 'at-least-once';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
