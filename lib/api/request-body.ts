/**
 * Request bodies, read as leniently as Flink's own reader does: nothing at all counts as `{}`, null as absent, unknown fields are no concern, a scalar of
 * another type is turned into the one that is wanted. What cannot be read is a 400 that names the expected format.
 */
import { handlerProblem, type RequestProblem } from './request-problem.ts';

interface RequestBody {
  /** null = absent. */
  text(name: string): string | null;
  /** An empty one would be the folder that the server happens to run in. */
  directory(name: string): string | null;
  flag(name: string): boolean;
  /** The first choice where the field is absent. */
  choice<T extends string>(name: string, choices: readonly [T, ...(readonly T[])]): T;
  /** A trigger id that the caller has made: 32 hex digits. */
  trigger(): string | null;
}

/** `format` is the name of Flink's class, which its messages show. @throws RequestProblem 400, also later from a field that cannot be read */
export function readBody(text: string, format: string): RequestBody {
  const fields = parseObject(text, format);
  const field = (name: string): unknown => (Object.hasOwn(fields, name) ? (fields[name] ?? null) : null);
  const wrong = (name: string, wanted: string): RequestProblem => mismatch(format, `${name} is ${describe(field(name))}, ${wanted}`);
  const textOf = (name: string): string | null => {
    const value = field(name);
    if (value === null || typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw wrong(name, 'a text is wanted');
  };
  return {
    text: textOf,
    directory: (name) => {
      const value = textOf(name);
      if (value?.trim() === '') throw wrong(name, 'a directory is wanted');
      return value;
    },
    flag: (name) => {
      const value = field(name);
      if (value === null) return false;
      if (typeof value === 'boolean') return value;
      if (typeof value === 'number' && Number.isInteger(value)) return value !== 0;
      if (value === 'true' || value === 'false') return value === 'true';
      throw wrong(name, 'only "true" or "false" recognized');
    },
    choice: (name, choices) => {
      const value = field(name);
      const choice = value === null ? choices[0] : choices.find((candidate) => candidate === value);
      if (choice === undefined) throw wrong(name, `not one of the values accepted: [${choices.join(', ')}]`);
      return choice;
    },
    trigger: () => {
      const value = textOf('triggerId');
      if (value !== null && !/^[0-9a-fA-F]{32}$/.test(value)) throw wrong('triggerId', '32 hexadecimal digits are wanted');
      return value?.toLowerCase() ?? null;
    },
  };
}

export function parseObject(text: string, format: string): Readonly<Record<string, unknown>> {
  if (text.trim() === '') return {};
  const value = parseJson(text, format);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw mismatch(format, `the body is ${describe(value)}, an object is wanted`);
}

function parseJson(text: string, format: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw mismatch(format, `the body is no JSON: ${(error as Error).message}`);
  }
}

function mismatch(format: string, cause: string): RequestProblem {
  return handlerProblem(400, 'SLUICE-API-REQUEST', `Request did not match expected format ${format}.`, `SLUICE-API-REQUEST: ${cause}`);
}

function describe(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
