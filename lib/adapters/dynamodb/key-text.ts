/**
 * Texts as parts of DynamoDB's keys, which are ordered by UTF-8 bytes and bounded.
 *
 * KT1. Parts never hold the separator, and parts joined by it are in the order of their texts, one after the other: everything up to `$` is escaped by `$`
 *      and a character above it, and the separator is below `$`.
 * KT2. A text that is too long, or no well-formed Unicode, is cut and ends in a hash of all of it; the whole text stands in an attribute. Texts that agree
 *      up to the cut are in some order, always the same.
 */
import { createHash } from 'node:crypto';

export const keySeparator = '#';
/** The character after the separator: no key that goes on behind a part is at or above it. */
export const behindSeparator = '$';
/** Comes before everything that a key can go on with: of a key and this, the next key. */
export const beforeAll = '!';

const escape = '$';
const escaped = /[\u0000-\u0024]/g;
const escapeOffset = 0x40;
const cutMark = '$~';
const hashDigits = 32;

export function keyPart(text: string, bytesMax: number): string {
  const whole = text.replace(escaped, (unit) => escape + String.fromCharCode(escapeOffset + unit.charCodeAt(0)));
  if ((whole.length * 3 <= bytesMax || Buffer.byteLength(whole) <= bytesMax) && text.isWellFormed()) return whole;
  // By UTF-16 units: of texts that are not well-formed UTF-8 would make the same.
  const digest = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, hashDigits);
  return cut(whole.toWellFormed(), bytesMax - cutMark.length - hashDigits) + cutMark + digest;
}

/** undefined: it was cut, and the attribute has it. */
export function textOfPart(part: string): string | undefined {
  if (part.includes(cutMark)) return undefined;
  return part.replace(/\$(.)/g, (_, unit: string) => String.fromCharCode(unit.charCodeAt(0) - escapeOffset));
}

/** At a whole character; what is left of an escape does no harm before the mark. */
function cut(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, bytesMax);
  while (end > 0 && end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
