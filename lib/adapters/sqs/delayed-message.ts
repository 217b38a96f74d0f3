/** A message on its way through the delay queue: where it is to be sent, and when. */
import { SluiceError } from '../../base/errors.ts';
import { parseJson } from '../../base/parse-json.ts';
import type { Delay } from '../../ports/system.ts';
import { bodyOfText, textOfBody } from './body-text.ts';

export type DelayedMessage = Parameters<Delay['schedule']>[0];

/** One billed request; ten of them fit into one call, and one into a schedule. */
const bytesMax = 49_152;

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

/** Undefined where it is none. */
export function decodeDelayed(bytes: Uint8Array): DelayedMessage | undefined {
  const stored = jsonOf(bytes);
  if (typeof stored !== 'object' || stored === null) return undefined;
  const { version, queue, group, deduplicationId, dueAtMs, body } = stored as Readonly<Record<string, unknown>>;
  if (version !== 1 || typeof dueAtMs !== 'number' || !isText(queue) || !isText(group) || !isText(deduplicationId) || !isText(body)) return undefined;
  const decoded = bodyOfText(body);
  return decoded === undefined ? undefined : { queue, group, deduplicationId, body: decoded, dueAtMs };
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
