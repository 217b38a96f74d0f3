/**
 * Segment: what a commit writes beside the record (docs/formats/segment.md): the output envelopes, the state changes, the records for sinks, and
 * what else must happen after the commit. From it alone every effect can be done again, by anybody.
 *
 * Layout: format byte, header length, header as JSON, then the blobs in the header's order.
 */
import type { ChannelId, OperatorUid } from '../base/ids.ts';
import { ByteReader, corrupt } from '../model/byte-buffer.ts';
import { segmentFormat as format } from '../model/segment-envelopes.ts';
import { decodeColumn, encodeColumn } from '../model/stored-column.ts';
import { decodeCoordinatorMessage, encodeCoordinatorMessage } from '../model/coordinator-message.ts';
import type { LingeringRecords, SegmentContent, SelfMessage, StageOrder } from './segment-content.ts';

interface SegmentHeader {
  readonly envelopes: readonly { readonly queue: string; readonly group: string; readonly dedup: string; readonly bytes: number }[];
  readonly state: number;
  readonly sinks: readonly { readonly operator: OperatorUid; readonly bytes: number }[];
  readonly stage: readonly StageOrder[];
  readonly self: readonly SelfMessage[];
  readonly coordinator: readonly number[];
  /** Absent where there are none. */
  readonly lingering?: readonly {
    readonly channel: ChannelId;
    readonly after: number;
    readonly records: number;
    readonly bytes: number;
  }[];
}

export function encodeSegment(content: SegmentContent): Uint8Array {
  const sinks = [...content.sinks].map(([operator, records]) => ({ operator, bytes: encodeColumn(records) }));
  const coordinator = content.coordinator.map(encodeCoordinatorMessage);
  const header: SegmentHeader = {
    envelopes: content.envelopes.map(({ queue, group, deduplicationId, body }) => ({
      queue,
      group,
      dedup: deduplicationId,
      bytes: body.length,
    })),
    state: content.state?.length ?? 0,
    sinks: sinks.map(({ operator, bytes }) => ({ operator, bytes: bytes.length })),
    stage: content.stage,
    self: content.self,
    coordinator: coordinator.map((bytes) => bytes.length),
    ...(content.lingering.length === 0
      ? {}
      : { lingering: content.lingering.map(({ payload, ...more }) => ({ ...more, bytes: payload.length })) }),
  };
  const head = Buffer.from(JSON.stringify(header), 'utf8');
  const prefix = Buffer.allocUnsafe(5);
  prefix[0] = format;
  prefix.writeUInt32LE(head.length, 1);
  return Buffer.concat([
    prefix,
    head,
    ...content.envelopes.map(({ body }) => body),
    ...(content.state === null ? [] : [content.state]),
    ...sinks.map(({ bytes }) => bytes),
    ...coordinator,
    ...content.lingering.map(({ payload }) => payload),
  ]);
}

/** One envelope of a segment, for stashes and oversize records. */
export function readSegmentEnvelope(bytes: Uint8Array, index: number, what: string): Uint8Array {
  const { header, reader } = open(bytes, what);
  if (index >= header.envelopes.length) throw corrupt(what, `it has ${header.envelopes.length} envelopes, number ${index} is asked for`);
  for (let i = 0; i < index; i++) reader.take(header.envelopes[i]!.bytes);
  return reader.raw(header.envelopes[index]!.bytes);
}

/** Only the sinks' part: what staging reads. */
export function readSegmentSinkRecords(bytes: Uint8Array, operator: OperatorUid, what: string): unknown[] {
  const { header, reader } = open(bytes, what);
  for (const { bytes: size } of header.envelopes) reader.take(size);
  reader.take(header.state);
  for (const sink of header.sinks) {
    const raw = reader.raw(sink.bytes);
    if (sink.operator === operator) return decodeColumn(raw, what);
  }
  return [];
}

/** What the shard itself needs of it, at a cold start. */
export function readSegmentOwn(bytes: Uint8Array, what: string): Pick<SegmentContent, 'state' | 'lingering'> {
  const { header, reader } = open(bytes, what);
  for (const { bytes: size } of header.envelopes) reader.take(size);
  const state = header.state === 0 ? null : reader.raw(header.state);
  if (header.lingering === undefined) return { state, lingering: [] };
  for (const { bytes: size } of header.sinks) reader.take(size);
  for (const size of header.coordinator) reader.take(size);
  return { state, lingering: takeLingering(header, reader) };
}

function takeLingering({ lingering = [] }: SegmentHeader, reader: ByteReader): LingeringRecords[] {
  return lingering.map(({ bytes: size, ...more }) => ({ ...more, payload: reader.raw(size) }));
}

export function decodeSegment(bytes: Uint8Array, what: string): SegmentContent {
  const { header, reader } = open(bytes, what);
  const envelopes = header.envelopes.map(({ queue, group, dedup, bytes: size }) => ({
    queue,
    group,
    deduplicationId: dedup,
    body: reader.raw(size),
  }));
  const state = header.state === 0 ? null : reader.raw(header.state);
  const sinks = new Map(header.sinks.map((sink) => [sink.operator, decodeColumn(reader.raw(sink.bytes), what)] as const));
  const coordinator = header.coordinator.map((size) => decodeCoordinatorMessage(reader.raw(size)));
  const lingering = takeLingering(header, reader);
  if (reader.remaining !== 0) throw corrupt(what, `${reader.remaining} bytes too many`);
  return { envelopes, state, sinks, stage: header.stage, self: header.self, coordinator, lingering };
}

function open(bytes: Uint8Array, what: string): { header: SegmentHeader; reader: ByteReader } {
  const reader = new ByteReader(bytes, what);
  const version = reader.byte();
  if (version !== format) throw corrupt(what, `its format is ${version}, this version reads ${format}`);
  const header = reader.json();
  if (!isSegmentHeader(header)) throw corrupt(what, 'its header is not that of a segment');
  return { header, reader };
}

/** Sizes are checked where they are taken. */
function isSegmentHeader(value: unknown): value is SegmentHeader {
  const header = value as Partial<SegmentHeader> | null;
  return (
    typeof header === 'object' &&
    header !== null &&
    [header.envelopes, header.sinks, header.stage, header.self, header.lingering ?? []].every(areObjects) &&
    Array.isArray(header.coordinator) &&
    typeof header.state === 'number'
  );
}

function areObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null);
}
