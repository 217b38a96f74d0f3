/** What a record is known again by, in an intake log: who it is, and a sign of what it says, so that two of one name that say different things are told apart. */
import { createHash } from 'node:crypto';

export const identityBytes = 16;
const nameBytes = 12;
/** In base64url, where twelve bytes are sixteen letters. */
const nameLetters = 16;

/** Of any texts: 16 bytes as base64url. */
export function identityOf(name: string, content = ''): string {
  const bytes = Buffer.concat([digest(name).subarray(0, nameBytes), digest(content).subarray(0, identityBytes - nameBytes)]);
  return bytes.toString('base64url');
}

export function partsOfIdentity(identity: string): { readonly name: string; readonly content: string } {
  return { name: identity.slice(0, nameLetters), content: identity.slice(nameLetters) };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
