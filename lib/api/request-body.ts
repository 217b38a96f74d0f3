/**
 * Request bodies, read as leniently as Flink's own reader does: nothing at all counts as `{}`, null as absent, unknown fields are no concern, a scalar of
 * another type is turned into the one that is wanted. What cannot be read is a 400 that names the expected format.
 */
import { handlerProblem, type RequestProblem } from './request-problem.ts';

export type RequestBody = Readonly<Record<string, unknown>>;

/** `format` is the name of Flink's class, which its messages show. */
export interface BodyFormat {
  readonly format: string;
}

export function parseBody(text: string, { format }: BodyFormat): RequestBody {
  if (text.trim() === '') return {};
  const value = parseJson(text, format);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as RequestBody;
  throw mismatch(format, `the body is ${describe(value)}, an object is wanted`);
}

export function textField(body: RequestBody, name: string, { format }: BodyFormat): string | null {
  const value = fieldOf(body, name);
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw mismatch(format, `${name} is ${describe(value)}, a text is wanted`);
}

export function flagField(body: RequestBody, name: string, { format }: BodyFormat): boolean {
  const value = fieldOf(body, name);
  if (value === null) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return value !== 0;
  if (value === 'true' || value === 'false') return value === 'true';
  throw mismatch(format, `${name} is ${describe(value)}, only "true" or "false" recognized`);
}

export function choiceField<T extends string>(
  body: RequestBody,
  name: string,
  choices: readonly [T, ...(readonly T[])],
  { format }: BodyFormat,
): T {
  const value = fieldOf(body, name);
  if (value === null) return choices[0];
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw mismatch(format, `${name} is ${describe(value)}, not one of the values accepted: [${choices.join(', ')}]`);
}

/** A trigger id that the caller has made: 32 hex digits. */
export function triggerField(body: RequestBody, format: BodyFormat): string | null {
  const text = textField(body, 'triggerId', format);
  if (text === null) return null;
  if (/^[0-9a-fA-F]{32}$/.test(text)) return text.toLowerCase();
  throw mismatch(format.format, `triggerId is ${JSON.stringify(text)}, 32 hexadecimal digits are wanted`);
}

function fieldOf(body: RequestBody, name: string): unknown {
  return Object.hasOwn(body, name) ? (body[name] ?? null) : null;
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
