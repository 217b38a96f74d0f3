/** Values that may travel and be stored, of every kind, and the strictest comparison of two of them. */
import fc from 'fast-check';

/** UTF-16 units as they come: lone surrogates included. */
const anyUnits = fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units));
export const anyText = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  anyUnits,
  fc.constantFrom('', '\ud800', '\udfff', '\ude00\ud83d', '\u0000', '\u2028', '"\\', '$date', 'é', '日本', '\u{1f600}'),
);
/** Names that mean something to JavaScript, to our tags, or to the order of keys. */
export const anyName = fc.oneof(
  anyText,
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'toJSON',
    'length',
    '$',
    '$object',
    '$null',
    '$bytes',
    '$undefined',
    '0',
    '10',
    '-1',
    'a\u0000b',
  ),
);
export const anyNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    NaN,
    -0,
    0,
    Infinity,
    -Infinity,
    2 ** 53,
    -(2 ** 53),
    2 ** 32,
    5e-324,
    Number.MAX_VALUE,
    255,
    256,
    65_535,
    65_536,
    0xffff_ffff,
  ),
);

const primitives = fc.oneof(anyNumber, anyText, fc.boolean(), fc.constantFrom(null, undefined), fc.bigInt());

function objectOf(pairs: readonly (readonly [string, unknown])[], prototype: object | null): object {
  const object = Object.create(prototype) as object;
  for (const [name, value] of pairs) Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  return object;
}

export const storable: fc.Arbitrary<unknown> = fc.letrec((tie) => {
  const value = tie('value');
  const pairs = fc.array(fc.tuple(anyName, value), { maxLength: 4 });
  return {
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      primitives,
      fc.date({ noInvalidDate: false }),
      fc.uint8Array({ maxLength: 6 }),
      pairs.map((entries) => objectOf(entries, Object.prototype)),
      pairs.map((entries) => objectOf(entries, null)),
      fc.array(value, { maxLength: 4 }),
      fc.array(fc.tuple(value, value), { maxLength: 3 }).map((entries) => new Map(entries)),
      fc.array(value, { maxLength: 3 }).map((items) => new Set(items)),
    ),
  };
}).value;

/** Where the two differ, by path; `undefined` where they are the same to every question that JavaScript can ask of plain data. */
export function differenceOf(a: unknown, b: unknown, path = ''): string | undefined {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b) ? undefined : path || 'the value';
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: prototype`;
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime()) ? undefined : `${path}: time`;
  if (a instanceof Map) return differenceOf([...a.entries()], [...(b as Map<unknown, unknown>).entries()], `${path}: entries`);
  if (a instanceof Set) return differenceOf([...a], [...(b as Set<unknown>)], `${path}: items`);
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array) === 0 ? undefined : `${path}: bytes`;
  const names = Reflect.ownKeys(a);
  const others = Reflect.ownKeys(b);
  if (names.length !== others.length || names.some((name, i) => name !== others[i])) return `${path}: keys`;
  for (const name of names as string[]) {
    const left = Object.getOwnPropertyDescriptor(a, name)!;
    const right = Object.getOwnPropertyDescriptor(b, name)!;
    if (left.enumerable !== right.enumerable) return `${path}.${name}: enumerable`;
    const difference = differenceOf(left.value, right.value, `${path}.${name}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
