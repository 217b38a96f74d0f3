/** What an option's text may be, as Flink writes values. */
import { durationMsOf } from '../base/duration-text.ts';

/** What was read, or what is wanted in its place. */
export type Reader = (text: string) => { readonly value: string | number | boolean | null } | { readonly wanted: string };

export const count =
  (min: number, max: number): Reader =>
  (text) => {
    const isUsable = /^\d{1,16}$/.test(text) && Number(text) >= min && Number(text) <= max;
    return isUsable ? { value: Number(text) } : { wanted: `a whole number from ${min} to ${max}` };
  };

export const factor =
  (min: number, max: number): Reader =>
  (text) => {
    const isUsable = /^\d+(\.\d+)?$/.test(text) && Number(text) >= min && Number(text) <= max;
    return isUsable ? { value: Number(text) } : { wanted: `a number from ${min} to ${max}` };
  };

export const duration =
  (minMs: number, maxMs: number): Reader =>
  (text) => {
    // Flink: a number alone is milliseconds.
    const durationMs = /^\d+$/.test(text) ? Number(text) : durationMsOf(text);
    const isUsable = durationMs !== undefined && durationMs >= minMs && durationMs <= maxMs;
    return isUsable ? { value: durationMs } : { wanted: `a duration from ${minMs} ms to ${maxMs / 3_600_000} h, such as 10s` };
  };

/** Flink's constants, and our words of the same name: `EXACTLY_ONCE` is `exactly-once`. */
export const oneOf =
  (words: readonly string[], wanted = constantsOf(words).join(' or ')): Reader =>
  (text) => {
    const word = text.toLowerCase().replaceAll('_', '-');
    return words.includes(word) ? { value: word } : { wanted };
  };

export const flag: Reader = (text) => {
  const word = text.toLowerCase();
  return word === 'true' || word === 'false' ? { value: word === 'true' } : { wanted: 'true or false' };
};

function constantsOf(words: readonly string[]): readonly string[] {
  return words.map((word) => word.toUpperCase().replaceAll('-', '_'));
}
