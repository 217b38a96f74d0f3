/** What a sink shows and what is right, compared as multisets of records. */
import { canonicalJson } from '../../base/canonical-json.ts';
import { parseJson } from '../../base/parse-json.ts';
import { deadLetterConnector, type DeadLetter } from '../../model/dead-letter.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import { encodeValue } from '../../model/value-json.ts';

export type Covers = (shown: unknown, expected: unknown) => boolean;

const shownMax = 3;

/** One line per record, sorted. Of a dead letter what was set aside, without the circumstances. */
export function linesOf(values: readonly unknown[], { connector }: Pick<ConnectorSpec, 'connector'>): readonly string[] {
  const compared = connector === deadLetterConnector ? values.map((letter) => setAside(letter as DeadLetter)) : values;
  return compared.map((value) => canonicalJson(parseJson(encodeValue(value)))).sort();
}

function setAside({ operator, key, record }: DeadLetter): unknown {
  return { operator, key, record };
}

/** Each as often as it is right, no more and no less. */
export function exactDifference(sink: string, expected: readonly string[], actual: readonly string[]): readonly string[] {
  return told(sink, expected, actual, missing(expected, actual), missing(actual, expected));
}

/** What has been shown is right, if not everything. */
export function tooManyDifference(sink: string, expected: readonly string[], actual: readonly string[]): readonly string[] {
  return told(sink, expected, actual, [], missing(actual, expected));
}

/** Lines of the first that are not in the second, or not as often. */
function missing(lines: readonly string[], from: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of from) counts.set(line, (counts.get(line) ?? 0) - 1);
  return [...counts].filter(([, count]) => count > 0).map(([line]) => line);
}

/** Nothing is missing; what comes twice, or counts what comes twice, is what the mode allows. */
export function atLeastDifference(
  sink: string,
  expected: readonly string[],
  actual: readonly string[],
  covers: Covers | undefined,
): readonly string[] {
  const counts = new Map<string, number>();
  for (const line of actual) counts.set(line, (counts.get(line) ?? 0) + 1);
  const shown = covers === undefined ? [] : actual.map((line) => parseJson(line));
  const isShown = (line: string): boolean => {
    const count = counts.get(line) ?? 0;
    counts.set(line, count - 1);
    return count > 0 || (covers !== undefined && shown.some((value) => covers(value, parseJson(line))));
  };
  return told(
    sink,
    expected,
    actual,
    expected.filter((line) => !isShown(line)),
    [],
  );
}

function told(
  sink: string,
  expected: readonly string[],
  actual: readonly string[],
  lost: readonly string[],
  extra: readonly string[],
): readonly string[] {
  if (lost.length + extra.length === 0) return [];
  const some = (lines: readonly string[]): string => lines.slice(0, shownMax).join(', ');
  return [
    `sink ${sink} shows ${actual.length} records, ${expected.length} are right` +
      (lost.length === 0 ? '' : `; ${lost.length} are missing: ${some(lost)}`) +
      (extra.length === 0 ? '' : `; ${extra.length} are too many: ${some(extra)}`),
  ];
}
