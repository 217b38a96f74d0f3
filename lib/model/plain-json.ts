/**
 * What one line of plain JSON can hold: sinks ask it when a record reaches them, and whoever writes the line asks it again.
 *
 * PJ1. Where there is no problem, JSON.parse of the text gives back exactly the same: no tags, nothing dropped, nothing rounded.
 */
import { limits } from '../base/limits.ts';

export interface PlainJsonProblem {
  /** What it is that JSON cannot hold. */
  readonly what: string;
  /** Where in the value; '' = the value itself. */
  readonly path: string;
}

interface Findings {
  /** JSON can hold it, but JSON.stringify writes a plain zero. */
  hasNegativeZero: boolean;
}

/** Not in the types of ES2024. */
const { rawJSON } = JSON as JSON & { rawJSON(this: void, text: string): unknown };
/** Of a check that asks for problems only. */
const unread: Findings = { hasNegativeZero: false };

export function plainJsonProblem(value: unknown): PlainJsonProblem | undefined {
  return isSurelyPlain(value, 0) ? undefined : problemIn(value, 0, unread);
}

export function plainJsonText(value: unknown): { readonly text: string } | { readonly problem: PlainJsonProblem } {
  if (isSurelyPlain(value, 0)) return { text: JSON.stringify(value) };
  const findings: Findings = { hasNegativeZero: false };
  const problem = problemIn(value, 0, findings);
  if (problem !== undefined) return { problem };
  return { text: findings.hasNegativeZero ? JSON.stringify(value, keepNegativeZero) : JSON.stringify(value) };
}

/** For an error's message: where it is, and why not. */
export function plainJsonProblemText({ what, path }: PlainJsonProblem): string {
  return `${what} at ${path === '' ? 'its top' : path}, which JSON cannot hold`;
}

/** Nearly all records, at a third of the price: no negative zero in it either. What it is not sure of, `problemIn` looks at closely. */
function isSurelyPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || depth > surelyDepthMax) return false;
  let names = 0;
  if (Array.isArray(value)) {
    for (; names < value.length; names++) if (!isSurelyPlain(value[names], depth + 1)) return false;
    // An array also owns its length.
    return Object.getOwnPropertyNames(value).length === names + 1 && Object.getOwnPropertySymbols(value).length === 0;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const name in value) {
    if (!isSurelyPlain((value as Readonly<Record<string, unknown>>)[name], depth + 1)) return false;
    names++;
  }
  // Not Reflect.ownKeys: on objects that JSON.parse has made it takes three times as long as the two together.
  return Object.getOwnPropertyNames(value).length === names && Object.getOwnPropertySymbols(value).length === 0;
}

const surelyDepthMax = 8;

function keepNegativeZero(_name: string, value: unknown): unknown {
  return Object.is(value, -0) ? rawJSON('-0') : value;
}

/** Builds the path only on the way back from a problem: records without one, which are nearly all, pay nothing for it. */
function problemIn(value: unknown, depth: number, findings: Findings): PlainJsonProblem | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      if (Object.is(value, -0)) findings.hasNegativeZero = true;
      return Number.isFinite(value) ? undefined : { what: String(value), path: '' };
    case 'object':
      return value === null ? undefined : problemInObject(value, depth, findings);
    default:
      return { what: value === undefined ? 'undefined' : `a ${typeof value}`, path: '' };
  }
}

function problemInObject(value: object, depth: number, findings: Findings): PlainJsonProblem | undefined {
  if (depth >= limits.valueDepthMax) return { what: `nesting deeper than ${limits.valueDepthMax}, or a cycle`, path: '' };
  if (Array.isArray(value)) return problemInArray(value, depth, findings);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return { what: `an instance of ${(value as { constructor?: { name?: string } }).constructor?.name ?? 'a class'}`, path: '' };
  }
  const names = Object.keys(value);
  if (Reflect.ownKeys(value).length !== names.length) return { what: 'a symbol key or a hidden property', path: '' };
  for (const name of names) {
    const problem = problemIn((value as Readonly<Record<string, unknown>>)[name], depth + 1, findings);
    if (problem !== undefined) return { what: problem.what, path: `.${name}${problem.path}` };
  }
  return undefined;
}

function problemInArray(values: readonly unknown[], depth: number, findings: Findings): PlainJsonProblem | undefined {
  for (let i = 0; i < values.length; i++) {
    const problem = problemIn(values[i], depth + 1, findings);
    if (problem !== undefined) return { what: problem.what, path: `[${i}]${problem.path}` };
  }
  const isWhole = Object.getOwnPropertyNames(values).length === values.length + 1 && Object.getOwnPropertySymbols(values).length === 0;
  return isWhole ? undefined : { what: 'an array with named properties', path: '' };
}
