/**
 * Shapes of stored documents: one description reads a value of unknown origin, refuses what does not fit with every fault and its path, and rebuilds it
 * with fields in declared order and record keys sorted, so that equal documents have equal bytes. Unknown fields are refused: a format that grows raises
 * its number.
 */
import { SluiceError } from '../base/errors.ts';

/** Returns the value rebuilt; pushes one sentence per fault. `path` null: nobody asks where, only how many. */
export type Shape<T> = (value: unknown, path: Path, faults: string[]) => T;

type Path = string | null;

type Fields<T> = { readonly [Name in keyof T]-?: Shape<T[Name]> };

function primitive<T>(kind: string, fits: (value: unknown) => boolean): Shape<T> {
  return (value, path, faults) => {
    if (!fits(value)) faults.push(`${path} is ${describe(value)}, ${kind} is wanted`);
    return value as T;
  };
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = value instanceof Object && !Array.isArray(value) ? 'an object' : (JSON.stringify(value) ?? typeof value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.getPrototypeOf(value) === Object.prototype;
}

/** `__proto__` may be a state's or a split's name: it is set as a property, never as the prototype. */
function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

/** Names are long to put together, and wanted only where something is wrong. */
function within(path: Path, name: string): Path {
  return path === null ? null : path === '' ? name : `${path}.${name}`;
}

function object<T>(fields: Fields<T>): Shape<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, path, faults) => {
    if (!isPlain(value)) return primitive<T>('an object', () => false)(value, path, faults);
    const out: Record<string, unknown> = {};
    for (const name of names) {
      const field = fields[name](Object.hasOwn(value, name) ? value[name] : undefined, within(path, name), faults);
      if (field !== undefined) setOwn(out, name, field);
    }
    for (const name of Object.keys(value)) if (!Object.hasOwn(fields, name)) faults.push(`${within(path, name)} is unknown`);
    return out as T;
  };
}

function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value, path, faults) => {
    if (!Array.isArray(value)) return primitive<readonly T[]>('a list', () => false)(value, path, faults);
    return value.map((entry, index) => item(entry, path === null ? null : `${path}[${index}]`, faults));
  };
}

function record<Key extends string, T>(item: Shape<T>): Shape<Readonly<Record<Key, T>>> {
  return (value, path, faults) => {
    if (!isPlain(value)) return primitive<Readonly<Record<Key, T>>>('an object', () => false)(value, path, faults);
    const out: Record<string, unknown> = {};
    for (const name of Object.keys(value).sort()) setOwn(out, name, item(value[name], within(path, name), faults));
    return out as Record<Key, T>;
  };
}

/** The combinators. `id` is for branded texts; `anything` is a value of the user or of a connector, kept as it is. */
export const shapes = {
  text: primitive<string>('a text', (value) => typeof value === 'string'),
  id: <T extends string>(): Shape<T> => primitive<T>('a text', (value) => typeof value === 'string' && value !== ''),
  integer: primitive<number>('a whole number', (value) => Number.isSafeInteger(value) && !Object.is(value, -0)),
  number: primitive<number>('a number', (value) => typeof value === 'number' && Number.isFinite(value)),
  flag: primitive<boolean>('true or false', (value) => typeof value === 'boolean'),
  oneOf: <T extends string | number | boolean>(...allowed: readonly T[]): Shape<T> =>
    primitive<T>(`one of ${allowed.join(', ')}`, (value) => allowed.includes(value as T)),
  anything: ((value, path, faults) => {
    if (value === undefined) faults.push(`${path} is missing`);
    return value;
  }) as Shape<unknown>,
  nullable:
    <T>(shape: Shape<T>): Shape<T | null> =>
    (value, path, faults) =>
      value === null ? null : shape(value, path, faults),
  /** A field that may be absent: `undefined` is never stored, so the field's own type stays. */
  optional:
    <T>(shape: Shape<T>): Shape<T> =>
    (value, path, faults) =>
      value === undefined ? (value as T) : shape(value, path, faults),
  /** A field that came later: where it is absent, everything is as it was before. */
  otherwise:
    <T>(shape: Shape<T>, fallback: T): Shape<T> =>
    (value, path, faults) =>
      value === undefined ? fallback : shape(value, path, faults),
  object,
  list,
  record,
};

/** @throws SluiceError with `code`, naming every fault */
export function readShape<T>(shape: Shape<T>, value: unknown, code: string, what: string): T {
  const found: string[] = [];
  const out = shape(value, null, found);
  if (found.length === 0) return out;
  const faults: string[] = [];
  shape(value, '', faults);
  const shown = faults.slice(0, 10).join('; ') + (faults.length > 10 ? `; and ${faults.length - 10} more` : '');
  throw new SluiceError(code, `${what} is not what it should be: ${shown}`, {
    hint: 'It was damaged, changed by hand or written by another program. Use another checkpoint or savepoint, and report how this one was made.',
    facts: { what, faults },
  });
}
