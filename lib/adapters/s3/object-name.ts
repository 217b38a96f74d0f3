/**
 * Keys as S3 takes them. Ours are letters, digits and `/ . _ -`, which stay as they are; what S3 or its XML cannot hold is escaped, so that a key is never
 * refused for what is in it.
 *
 * ON1. A prefix of a key is a prefix of its name: each character is escaped by itself and what stands before it.
 */

/** `%` because it escapes; controls because XML 1.0 has none of them; a dot that begins a part, because S3 refuses `..` as a part of a path. */
// eslint-disable-next-line no-control-regex
const escaped = /[%\u0000-\u001f\u007f]|(?<=^|\/)\./g;

export function nameOfKey(key: string): string {
  return key.replace(escaped, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export function keyOfName(name: string): string {
  return name.replace(/%([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
