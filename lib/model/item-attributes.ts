/**
 * Rows of a DynamoDB table, as records are written there: sinks ask here before a record is committed, and whoever writes it asks again.
 *
 * IA1. Where there is no problem DynamoDB takes the item, as far as it does not hang on the table: no type that it has not, no number that it would round.
 */
import type { PlainJsonProblem } from './plain-json.ts';

export type ItemAttribute =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: Uint8Array }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly L: ItemAttribute[] }
  | { readonly M: Record<string, ItemAttribute> };

export type ItemAttributes = Readonly<Record<string, ItemAttribute>>;

/** Of lists and maps in each other: the engine takes 32 levels, the innermost value being one. */
const depthMax = 31;
const digitsMax = 38;
const numberMax = 1e126;
const integerDigitsMax = 126;
const numberMin = 1e-130;

export function itemAttributes(record: unknown): { readonly item: ItemAttributes } | { readonly problem: PlainJsonProblem } {
  const problems: PlainJsonProblem[] = [];
  if (!isPlainObject(record)) return { problem: { what: `${nameOf(record)} instead of a plain object`, path: '' } };
  const item = mapOf(record, '', 0, problems);
  const [problem] = problems;
  return problem === undefined ? { item } : { problem };
}

function mapOf(record: object, path: string, depth: number, problems: PlainJsonProblem[]): Record<string, ItemAttribute> {
  const attributes: Record<string, ItemAttribute> = {};
  const names = Object.keys(record);
  if (Reflect.ownKeys(record).length !== names.length) problems.push({ what: 'a symbol key or a hidden property', path });
  for (const name of names) {
    const place = `${path}.${name}`;
    if (name === '' || name === '__proto__' || !name.isWellFormed())
      problems.push({ what: `the name ${JSON.stringify(name)}`, path: place });
    else attributes[name] = attributeOf((record as Readonly<Record<string, unknown>>)[name], place, depth, problems);
  }
  return attributes;
}

function attributeOf(value: unknown, path: string, depth: number, problems: PlainJsonProblem[]): ItemAttribute {
  const refuse = (what: string): ItemAttribute => {
    problems.push({ what, path });
    return { NULL: true };
  };
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? { S: value } : refuse('text that is not well-formed');
    case 'boolean':
      return { BOOL: value };
    case 'number':
      return isStorable(value) ? { N: String(value === 0 ? 0 : value) } : refuse(`the number ${value}`);
    case 'bigint':
      return isStorableInteger(value) ? { N: String(value) } : refuse(`an integer of ${String(value).length} digits`);
    case 'object':
      break;
    default:
      return refuse(nameOf(value));
  }
  if (value === null) return { NULL: true };
  if (depth >= depthMax) return refuse(`nesting deeper than ${depthMax}, or a cycle`);
  // By prototype: of a class that extends it only the parent's half would come back.
  if (Object.getPrototypeOf(value) === Uint8Array.prototype) return { B: value as Uint8Array };
  if (Array.isArray(value)) {
    if (Object.getOwnPropertyNames(value).length !== value.length + 1) return refuse('an array with holes or named properties');
    return { L: value.map((part: unknown, index) => attributeOf(part, `${path}[${index}]`, depth + 1, problems)) };
  }
  return isPlainObject(value) ? { M: mapOf(value, path, depth + 1, problems) } : refuse(nameOf(value));
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isStorable(value: number): boolean {
  const size = Math.abs(value);
  return Number.isFinite(value) && (size === 0 || (size >= numberMin && size < numberMax));
}

/** Zeros at the end count for its size only. */
function isStorableInteger(value: bigint): boolean {
  const digits = String(value).replace(/^-/, '');
  return digits.length <= integerDigitsMax && digits.replace(/0+$/, '').length <= digitsMax;
}

function nameOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  return `an instance of ${(value as { constructor?: { name?: string } }).constructor?.name ?? 'a class'}`;
}
