/** What a record is known again by, in an intake log. */
import { createHash } from 'node:crypto';

export const identityBytes = 16;

/** Of any text: 16 bytes as base64url. */
export function identityOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest().subarray(0, identityBytes).toString('base64url');
}
