import { canonicalJson } from '../base/canonical-json.ts';
import { SluiceError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';

/**
 * A key as canonical JSON text. Keys are strings, finite numbers, booleans, null, or arrays and plain objects of these: what has one text only.
 *
 * @throws SluiceError `SLUICE-KEY-INVALID` for everything else
 */
export function canonicalKey(key: unknown): string {
  if (typeof key === 'string') return checkedLength(JSON.stringify(key));
  if (typeof key === 'number' && Number.isFinite(key)) return JSON.stringify(key);
  if (typeof key === 'boolean' || key === null) return String(key);
  assertKey(key, 0);
  return checkedLength(canonicalJson(key));
}

/** Whether it is plainly a key; what is not may be one all the same. */
export function isPlainKey(key: unknown): boolean {
  return (typeof key === 'string' && key.length <= plainCharactersMax) || Number.isFinite(key) || typeof key === 'boolean' || key === null;
}

/** As JSON a character takes six at most. */
const plainCharactersMax = Math.floor(limits.keyCharactersMax / 6) - 2;

function checkedLength(text: string): string {
  if (text.length > limits.keyCharactersMax) refuseKey(`a key of ${text.length} characters`);
  return text;
}

function assertKey(key: unknown, depth: number): void {
  if (typeof key === 'string' || typeof key === 'boolean' || key === null) return;
  if (typeof key === 'number' && Number.isFinite(key)) return;
  if (typeof key !== 'object' || depth > 8)
    return refuseKey(key === undefined ? 'undefined' : `a ${typeof key}${depth > 8 ? ' nested deeper than 8' : ''}`);
  const prototype: unknown = Object.getPrototypeOf(key);
  const isArray = prototype === Array.prototype;
  if (!isArray && prototype !== Object.prototype && prototype !== null) return refuseKey('an instance of a class');
  const parts = Object.values(key);
  // What the text leaves out would make two keys one: symbols, hidden properties, an array's named ones. A hole would make no key at all.
  const named = Object.getOwnPropertyNames(key).length - (isArray ? 1 : 0);
  if (Object.getOwnPropertySymbols(key).length > 0 || named !== parts.length || (isArray && (key as unknown[]).length !== parts.length)) {
    return refuseKey('an object with symbols or hidden properties, or an array with holes or named ones,');
  }
  for (const part of parts) assertKey(part, depth + 1);
}

function refuseKey(what: string): never {
  throw new SluiceError('SLUICE-KEY-INVALID', `${what} cannot be a key`, {
    hint: 'Return a string, a finite number, a boolean, null, or an array or plain object of these from the key selector.',
    facts: { what, charactersMax: limits.keyCharactersMax },
  });
}
