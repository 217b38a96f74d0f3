/**
 * Mutations as bytes: length of the text, the text (value-json, with bytes replaced by their place), then the bytes one after the other
 * (docs/formats/log.md). What a record may hold is whatever value-json can.
 */
import { ByteReader } from '../../model/byte-buffer.ts';
import { decodeValue, encodeValue } from '../../model/value-json.ts';
import type { Mutation, MutationOf, StoredMessage, WrittenRow } from '../memory/mutation.ts';

/** Bytes stand in the text as their length. */
type Written = readonly [text: string, ...blobs: Uint8Array[]];

export function encodeMutation(mutation: Mutation): Buffer[] {
  const [text, ...blobs] = write(mutation);
  const head = Buffer.allocUnsafe(4 + Buffer.byteLength(text, 'utf8'));
  head.writeUInt32LE(head.length - 4, 0);
  head.write(text, 4, 'utf8');
  return [head, ...blobs.map((blob) => Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength))];
}

export function decodeMutation(bytes: Uint8Array): Mutation {
  const reader = new ByteReader(bytes, 'an entry of the log');
  const content = decodeValue(reader.text()) as Mutation;
  // A copy: the entry's buffer is the whole log, and would live as long as one body.
  const take = (size: unknown): Uint8Array => new Uint8Array(reader.copy(Number(size)));
  switch (content.kind) {
    case 'queue-send':
      return { ...content, messages: content.messages.map((message) => ({ ...message, body: take(message.body) })) };
    case 'object-put':
      return { ...content, bytes: take(content.bytes) };
    case 'delay-put':
      return { ...content, wakeUp: { ...content.wakeUp, body: take(content.wakeUp.body) } };
    case 'base-write':
      return { ...content, rows: (content.rows as unknown as PackedRow[]).map(unpackRow) };
    default:
      return content;
  }
}

const baseWriteStart = Buffer.from('{"kind":"base-write"', 'latin1');

/** Without decoding it: the kind stands first in the text. */
export function isBaseWrite(entry: Uint8Array): boolean {
  return baseWriteStart.equals(entry.subarray(4, 4 + baseWriteStart.length));
}

function write(mutation: Mutation): Written {
  switch (mutation.kind) {
    case 'queue-send':
      return writeSend(mutation);
    case 'object-put':
      return [JSON.stringify({ ...mutation, bytes: mutation.bytes.length }), mutation.bytes];
    case 'delay-put':
      return [JSON.stringify({ ...mutation, wakeUp: { ...mutation.wakeUp, body: mutation.wakeUp.body.length } }), mutation.wakeUp.body];
    case 'base-write':
      return [JSON.stringify({ ...mutation, rows: mutation.rows.map(packRow) })];
    default:
      return [encodeValue(mutation)];
  }
}

function writeSend(mutation: MutationOf<'queue-send'>): Written {
  const messages = mutation.messages.map((message: StoredMessage) => ({ ...message, body: message.body.length }));
  return [JSON.stringify({ ...mutation, messages }), ...mutation.messages.map(({ body }) => body)];
}

/** null = delete. Rows come by the thousand: their field names are left out. */
type PackedRow = readonly [operator: string, state: string, keyGroup: number, key: string, namespace: string, value: string | null];

function packRow({ operator, state, keyGroup, key, namespace, value }: WrittenRow): PackedRow {
  return [operator, state, keyGroup, key, namespace, value ?? null];
}

function unpackRow([operator, state, keyGroup, key, namespace, value]: PackedRow): WrittenRow {
  return { operator: operator as WrittenRow['operator'], state, keyGroup, key, namespace, value: value ?? undefined };
}
