/**
 * Any storable JavaScript value as JSON text and back, exactly.
 *
 * Owns: which values may travel or be stored. Plain JSON values are written as they are; `undefined`, NaN, the infinities, -0, bigint, Date,
 * Uint8Array, Map and Set are written as one-key objects `{"$kind": …}`; a user's object whose first key begins with `$` is wrapped, so that
 * nothing a user writes is taken for a tag. Everything else is refused by name: functions, symbols, class instances, accessors, holes, cycles.
 *
 * V1. decode(encode(value)) is deeply and exactly equal to value, `__proto__` keys, lone surrogates and key order included.
 */
import { errorCode, errorMessage, SluiceError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { parseJson } from '../base/parse-json.ts';

/** @throws SluiceError `SLUICE-VALUE-UNSUPPORTED` naming the value's kind and its path */
export function encodeValue(value: unknown): string {
  return JSON.stringify(toTagged(value, '', 0));
}

/**
 * The same text for a value that has just been decoded, which has no accessors, symbols or hidden properties: most are plain JSON, and need no copy
 * with tags.
 */
export function encodeDecodedValue(value: unknown): string {
  return isPlainJson(value, 0) ? JSON.stringify(value) : encodeValue(value);
}

function isPlainJson(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || depth > 8) return false;
  if (Array.isArray(value)) return value.every((item) => isPlainJson(item, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  let first = true;
  for (const name in value) {
    if (first && name.startsWith('$')) return false;
    first = false;
    if (!isPlainJson((value as Record<string, unknown>)[name], depth + 1)) return false;
  }
  return true;
}

/** @throws SluiceError `SLUICE-VALUE-CORRUPT`, and nothing else */
export function decodeValue(text: string): unknown {
  try {
    return fromTagged(parseJson(text));
  } catch (error) {
    // What is no JSON, and what is nested deeper than the stack is.
    if (errorCode(error) === undefined) throw corruptValue(errorMessage(error));
    throw error;
  }
}

/** Runs `write`; what it refuses is named by its path from `prefix` on. */
export function within(prefix: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (errorCode(error) !== 'SLUICE-VALUE-UNSUPPORTED') throw error;
    const { what, path } = (error as SluiceError).facts as { what: string; path: string };
    refuse(what, prefix + path);
  }
}

function refuse(what: string, path: string): never {
  throw new SluiceError('SLUICE-VALUE-UNSUPPORTED', `${what} at ${path === '' ? 'the value itself' : path} cannot be stored or sent`, {
    hint: what.endsWith(' Promise')
      ? 'The functions of a job are not async: look things up before the job, or keep them in state or in a second stream.'
      : 'Use plain objects, arrays, strings, numbers, booleans, null, undefined, bigint, Date, Map, Set or Uint8Array.',
    facts: { what, path },
  });
}

function toTagged(value: unknown, path: string, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return taggedNumber(value);
    case 'undefined':
      return { $undefined: 0 };
    case 'bigint':
      return { $bigint: value.toString() };
    case 'object':
      return value === null ? null : taggedObject(value, path, depth);
    default:
      return refuse(`a ${typeof value}`, path);
  }
}

function taggedNumber(value: number): unknown {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  return { $number: Object.is(value, -0) ? '-0' : String(value) };
}

function taggedObject(value: object, path: string, depth: number): unknown {
  if (depth >= limits.valueDepthMax) return refuse(`nesting deeper than ${limits.valueDepthMax} (or a cycle)`, path);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) return taggedArray(value as unknown[], path, depth);
  if (prototype === Object.prototype) return taggedPlain(value, path, depth);
  if (prototype === null) return { $null: taggedPlain(value, path, depth) };
  // By prototype, not `instanceof`: of a class that extends one of these only the parent's half would come back.
  if (prototype === Uint8Array.prototype) return taggedBytes(value as Uint8Array);
  if (prototype === Date.prototype) return taggedDate(value as Date, path);
  if (prototype === Map.prototype) {
    checkUnnamed(value, 0, 'a map', path);
    return { $map: taggedArray([...(value as Map<unknown, unknown>)].flat(), path, depth) };
  }
  if (prototype === Set.prototype) {
    checkUnnamed(value, 0, 'a set', path);
    return { $set: taggedArray([...(value as Set<unknown>)], path, depth) };
  }
  return refuse(`an instance of ${(value as { constructor?: { name?: string } }).constructor?.name ?? 'an unnamed class'}`, path);
}

function taggedBytes(value: Uint8Array): unknown {
  return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
}

function taggedDate(value: Date, path: string): unknown {
  checkUnnamed(value, 0, 'a date', path);
  return { $date: Number.isNaN(value.getTime()) ? 'invalid' : value.getTime() };
}

function taggedArray(values: readonly unknown[], path: string, depth: number): unknown[] {
  const out: unknown[] = [];
  for (let i = 0; i < values.length; i++) {
    const property = Object.getOwnPropertyDescriptor(values, i);
    if (property === undefined) return refuse('an array hole', `${path}[${i}]`);
    if (property.get !== undefined || property.set !== undefined) return refuse(`the accessor "${i}"`, path);
    out.push(toTagged(property.value, `${path}[${i}]`, depth + 1));
  }
  checkUnnamed(values, values.length + 1, 'an array', path);
  return out;
}

/** Beside `expected` own names (an array's indices and length) there is nothing that would be lost without a word. */
function checkUnnamed(value: object, expected: number, what: string, path: string): void {
  if (Object.getOwnPropertyNames(value).length !== expected) refuse(`${what} with named properties`, path);
  if (Object.getOwnPropertySymbols(value).length > 0) refuse(`${what} with symbol keys`, path);
}

function taggedPlain(value: object, path: string, depth: number): unknown {
  checkProperties(value, path);
  const names = Object.keys(value);
  const out: Record<string, unknown> = {};
  for (const name of names) {
    const item = toTagged((value as Record<string, unknown>)[name], `${path}.${name}`, depth + 1);
    // Assigning `__proto__` would set the prototype and lose the value.
    if (name === '__proto__') Object.defineProperty(out, name, { value: item, enumerable: true, configurable: true, writable: true });
    else out[name] = item;
  }
  return names.length > 0 && names[0]!.startsWith('$') ? { $object: out } : out;
}

/** Symbol keys, getters and hidden properties would be lost without a word. */
function checkProperties(value: object, path: string): void {
  if (Object.getOwnPropertySymbols(value).length > 0) refuse('an object with symbol keys', path);
  const names = Object.getOwnPropertyNames(value);
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(value, name)!;
    if (!property.enumerable) refuse(`the hidden property ${JSON.stringify(name)}`, path);
    if (property.get !== undefined || property.set !== undefined) refuse(`the accessor ${JSON.stringify(name)}`, path);
  }
}

function fromTagged(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = fromTagged(value[i]);
    return value;
  }
  const names = Object.keys(value);
  const record = value as Record<string, unknown>;
  if (names.length === 1 && names[0]!.startsWith('$')) return fromTag(names[0]!, record[names[0]!]);
  for (const name of names) {
    const item = record[name];
    if (typeof item !== 'object' || item === null) continue;
    const restored = fromTagged(item);
    if (restored === item) continue;
    if (name === '__proto__')
      Object.defineProperty(record, name, { value: restored, enumerable: true, configurable: true, writable: true });
    else record[name] = restored;
  }
  return record;
}

function fromTag(tag: string, content: unknown): unknown {
  switch (tag) {
    case '$undefined':
      expectContent(content === 0, tag);
      return undefined;
    case '$number':
      expectContent(content === 'NaN' || content === 'Infinity' || content === '-Infinity' || content === '-0', tag);
      return Number(content);
    case '$bigint':
      expectContent(typeof content === 'string' && /^-?\d+$/.test(content), tag);
      return BigInt(content);
    case '$date':
      expectContent(content === 'invalid' || typeof content === 'number', tag);
      return new Date(content === 'invalid' ? NaN : content);
    case '$bytes':
      expectContent(typeof content === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(content) && content.length % 4 === 0, tag);
      return new Uint8Array(Buffer.from(content, 'base64'));
    case '$set':
      expectContent(Array.isArray(content), tag);
      return new Set(fromTagged(content) as unknown[]);
    case '$map':
      expectContent(Array.isArray(content) && content.length % 2 === 0, tag);
      return pairsToMap(fromTagged(content) as unknown[]);
    case '$null':
      expectContent(isPlain(content), tag);
      return Object.setPrototypeOf(fromTagged(content), null) as unknown;
    case '$object':
      expectContent(isPlain(content), tag);
      return restoreWrapped(content);
    default:
      throw corruptValue(`unknown tag ${tag}`);
  }
}

function isPlain(content: unknown): content is Record<string, unknown> {
  return typeof content === 'object' && content !== null && !Array.isArray(content);
}

function expectContent(condition: boolean, tag: string): asserts condition {
  if (!condition) throw corruptValue(`what stands under the tag ${tag} is not of its kind`);
}

function corruptValue(problem: string): SluiceError {
  return new SluiceError('SLUICE-VALUE-CORRUPT', `a stored value cannot be read: ${problem}`, {
    hint: 'The value was written by a newer version of Sluice or was changed by hand. Read it with the version that wrote it.',
    facts: { problem },
  });
}

function pairsToMap(flat: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (let i = 0; i < flat.length; i += 2) map.set(flat[i], flat[i + 1]);
  return map;
}

/** The wrapped object's own keys may look like tags, so only its values are restored. */
function restoreWrapped(record: Record<string, unknown>): Record<string, unknown> {
  for (const name of Object.keys(record)) record[name] = fromTagged(record[name]);
  return record;
}
