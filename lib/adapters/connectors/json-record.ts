/**
 * Records as lines of plain JSON, for readers that know nothing of Sluice.
 *
 * JR1. JSON.parse of a line gives back the record exactly, or the record is refused: no tags, nothing dropped, nothing rounded.
 */
import { SluiceError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { PartName } from '../../ports/connectors.ts';

interface Problem {
  readonly what: string;
  readonly path: string;
}

interface Findings {
  /** JSON can hold it, but JSON.stringify writes a plain zero. */
  hasNegativeZero: boolean;
}

/** Not in the types of ES2024. */
const { rawJSON } = JSON as JSON & { rawJSON(this: void, text: string): unknown };
/** Written at a time. */
const pieceCharacters = 524_288;

/** The lines in pieces of a bounded size. */
export function* encodeLines(records: readonly unknown[], name: PartName): Generator<Uint8Array> {
  let text = '';
  for (const [i, record] of records.entries()) {
    text += `${encodeRecord(record, i, name)}\n`;
    if (text.length < pieceCharacters) continue;
    yield Buffer.from(text, 'utf8');
    text = '';
  }
  if (text !== '') yield Buffer.from(text, 'utf8');
}

/** @throws SluiceError `SLUICE-SINK-RECORD-UNSUPPORTED` naming operator, record and the place in it */
function encodeRecord(record: unknown, index: number, { operator, checkpoint, shard }: PartName): string {
  const findings: Findings = { hasNegativeZero: false };
  const problem = problemIn(record, 0, findings);
  if (problem === undefined) return findings.hasNegativeZero ? JSON.stringify(record, keepNegativeZero) : JSON.stringify(record);
  const { what, path } = problem;
  throw new SluiceError(
    'SLUICE-SINK-RECORD-UNSUPPORTED',
    `record ${index} of checkpoint ${checkpoint} at the sink ${operator} holds ${what} at ${path === '' ? 'its top' : path}, which JSON cannot hold`,
    {
      hint: 'Map the records before the sink to strings, finite numbers, booleans, null, arrays and plain objects: a Date to its ISO text, a bigint to text.',
      facts: { operator, checkpoint, shard, record: index, what, path },
    },
  );
}

function keepNegativeZero(_name: string, value: unknown): unknown {
  return Object.is(value, -0) ? rawJSON('-0') : value;
}

/** Builds the path only on the way back from a problem: records without one, which are nearly all, pay nothing for it. */
function problemIn(value: unknown, depth: number, findings: Findings): Problem | undefined {
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

function problemInObject(value: object, depth: number, findings: Findings): Problem | undefined {
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

function problemInArray(values: readonly unknown[], depth: number, findings: Findings): Problem | undefined {
  for (let i = 0; i < values.length; i++) {
    const problem = problemIn(values[i], depth + 1, findings);
    if (problem !== undefined) return { what: problem.what, path: `[${i}]${problem.path}` };
  }
  return Object.keys(values).length === values.length ? undefined : { what: 'an array with named properties', path: '' };
}
