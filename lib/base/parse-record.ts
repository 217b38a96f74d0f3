/**
 * A record as it comes from outside, as JSON.
 *
 * PR1. What is taken here can travel and be stored afterwards, also as a part of something else, such as a dead letter: what is nested too deeply is refused
 *      where it is still one record, and not with the batch that it would be sent in.
 * PR2. Where `exact` is asked for, no number is rounded silently: one that JavaScript cannot hold is refused, whole and by its text.
 */
import { SluiceError } from './errors.ts';
import { limits } from './limits.ts';
import { parseJson } from './parse-json.ts';

/** @throws SyntaxError as JSON.parse does; SluiceError `SLUICE-VALUE-UNSUPPORTED` */
export function parseRecord(text: string, { exact = false } = {}): unknown {
  const value = parseJson(text);
  if (mayBeDeep(text) && depthOf(value) > limits.inputDepthMax) throw tooDeep();
  if (exact && hasLongNumber.test(text)) JSON.parse(text, checkNumber as Parameters<typeof JSON.parse>[1]);
  return value;
}

/** Whole numbers below that, and fractions, whose last digit nobody counts, are as they were written. */
const hasLongNumber = /\d{16}|\d[eE][+]?\d{2}/;

/** A reviver; what it makes is not used. */
function checkNumber(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source ?? '';
  if (typeof value !== 'number' || (Number.isFinite(value) && !/^-?\d+$/.test(source))) return value;
  if (Number.isFinite(value) && BigInt(source) === BigInt(value)) return value;
  throw new SluiceError('SLUICE-VALUE-UNSUPPORTED', `${source.slice(0, 40)} is larger than a number can hold exactly`, {
    hint: 'Send it as a text.',
    facts: { number: source.slice(0, 40) },
  });
}

/** Each level opens once and closes once; most records are too short for it, or have too few brackets. */
function mayBeDeep(text: string): boolean {
  if (text.length <= 2 * limits.inputDepthMax) return false;
  let opened = 0;
  for (const bracket of '[{') {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) if (++opened > limits.inputDepthMax) return true;
  }
  return false;
}

/** Level by level, because it may be deeper than the stack. Ends one level above the limit. */
function depthOf(value: unknown): number {
  let depth = 0;
  let level = [value].filter(isNested);
  while (level.length > 0 && depth <= limits.inputDepthMax) {
    depth++;
    level = level.flatMap((nested) => Object.values(nested).filter(isNested));
  }
  return depth;
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function tooDeep(): SluiceError {
  return new SluiceError('SLUICE-VALUE-UNSUPPORTED', `a record is nested deeper than ${limits.inputDepthMax}`, {
    hint: 'Send it flatter, or send what is nested as a text.',
    facts: { depthMax: limits.inputDepthMax },
  });
}
