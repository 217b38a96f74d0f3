/**
 * Any storable JavaScript value as JSON text and back, exactly.
 *
 * Owns: which values may travel or be stored. Plain JSON values are written as they are; `undefined`, NaN, the infinities, -0, bigint, Date,
 * Uint8Array, Map and Set are written as one-key objects `{"$kind": …}`; a user's object whose first key begins with `$` is wrapped, so that
 * nothing a user writes is taken for a tag. Everything else is refused by name: functions, symbols, class instances, accessors, holes, cycles.
 *
 * V1. decode(encode(value)) is deeply and exactly equal to value, `__proto__` keys, lone surrogates and key order included.
 */
import { SluiceError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';

/** @throws SluiceError `SLUICE-VALUE-UNSUPPORTED` naming the value's kind and its path */
export function encodeValue(value: unknown): string {
  return JSON.stringify(toTagged(value, '', 0));
}

export function decodeValue(text: string): unknown {
  return fromTagged(JSON.parse(text));
}

function refuse(what: string, path: string): never {
  throw new SluiceError('SLUICE-VALUE-UNSUPPORTED', `${what} at ${path === '' ? 'the value itself' : path} cannot be stored or sent`, {
    hint: 'Use plain objects, arrays, strings, numbers, booleans, null, undefined, bigint, Date, Map, Set or Uint8Array.',
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
  if (Array.isArray(value)) return taggedArray(value, path, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return taggedPlain(value, path, depth);
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? 'invalid' : value.getTime() };
  if (value instanceof Map) return { $map: taggedArray([...value].flat(), path, depth) };
  if (value instanceof Set) return { $set: taggedArray([...value], path, depth) };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  if (prototype === null) return { $null: taggedPlain(value, path, depth) };
  return refuse(`an instance of ${(value as { constructor?: { name?: string } }).constructor?.name ?? 'an unnamed class'}`, path);
}

function taggedArray(values: readonly unknown[], path: string, depth: number): unknown[] {
  const out: unknown[] = [];
  for (let i = 0; i < values.length; i++) {
    if (!(i in values)) refuse('an array hole', `${path}[${i}]`);
    out.push(toTagged(values[i], `${path}[${i}]`, depth + 1));
  }
  if (Object.keys(values).length !== values.length) refuse('an array with named properties', path);
  return out;
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
export function checkProperties(value: object, path: string): void {
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
      return undefined;
    case '$number':
      return Number(content);
    case '$bigint':
      return BigInt(content as string);
    case '$date':
      return new Date(content === 'invalid' ? NaN : (content as number));
    case '$bytes':
      return new Uint8Array(Buffer.from(content as string, 'base64'));
    case '$set':
      return new Set(fromTagged(content) as unknown[]);
    case '$map':
      return pairsToMap(fromTagged(content) as unknown[]);
    case '$null':
      return Object.setPrototypeOf(fromTagged(content), null) as unknown;
    case '$object':
      return restoreWrapped(content as Record<string, unknown>);
    default:
      throw new SluiceError('SLUICE-VALUE-CORRUPT', `unknown tag ${tag} in a stored value`, {
        hint: 'The value was written by a newer version of Sluice or was changed by hand. Read it with the version that wrote it.',
        facts: { tag },
      });
  }
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
