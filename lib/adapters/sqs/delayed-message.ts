/** A message on its way through the delay queue: where it is to be sent, and when. */
import { SluiceError } from '../../base/errors.ts';
import { parseJson } from '../../base/parse-json.ts';
import { corrupt } from '../../model/byte-buffer.ts';
import type { Delay } from '../../ports/system.ts';
import { bodyOfText, textOfBody } from './body-text.ts';

export type DelayedMessage = Parameters<Delay['schedule']>[0];

/** One billed request; ten of them fit into one call, and one into a schedule. */
const bytesMax = 49_152;
const what = 'a delayed message';

/** @throws SluiceError `SLUICE-QUEUE-CALL-INVALID` where it is larger than any message to oneself */
export function encodeDelayed({ queue, group, deduplicationId, body, dueAtMs }: DelayedMessage): Uint8Array {
  const text = JSON.stringify({ version: 1, queue, group, deduplicationId, dueAtMs, body: textOfBody(body) });
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= bytesMax) return bytes;
  throw new SluiceError('SLUICE-QUEUE-CALL-INVALID', `a delayed message has ${bytes.length} bytes`, {
    hint: 'This is a fault in Sluice: what is delayed is small. Report the facts below.',
    facts: { queue, bytes: bytes.length, bytesMax },
  });
}

/** @throws SluiceError `SLUICE-DATA-CORRUPT` where it is none */
export function decodeDelayed(bytes: Uint8Array): DelayedMessage {
  const stored = jsonOf(bytes);
  if (typeof stored !== 'object' || stored === null) throw corrupt(what, 'it is no JSON object');
  const { version, queue, group, deduplicationId, dueAtMs, body: text } = stored as Readonly<Record<string, unknown>>;
  if (version !== 1) throw corrupt(what, 'its version is unknown');
  const body = isText(text) ? bodyOfText(text) : undefined;
  if (isText(queue) && isText(group) && isText(deduplicationId) && typeof dueAtMs === 'number' && body !== undefined)
    return { queue, group, deduplicationId, body, dueAtMs };
  throw corrupt(what, 'a field is missing, or is another');
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
