/**
 * Compares lines as multisets: the order does not count, every occurrence does.
 *
 * Owns: what lost, duplicated and unexpected mean. Does not own: where the lines come from. Imports nothing of the engine, on purpose.
 */

export type DifferenceKind = 'missing' | 'extra' | 'duplicated';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly line: string;
  /** How many occurrences too few (missing) or too many (extra, duplicated). */
  readonly count: number;
}

/** The three figures count occurrences of lines. */
export interface Comparison {
  /** Expected and not there often enough. */
  readonly missing: number;
  /** There, though never expected: a wrong value shows as one missing and one extra line. */
  readonly extra: number;
  /** Expected, and there more often than expected. */
  readonly duplicated: number;
  /** Up to ten, in the order of the lines, so that a wrong line stands beside the right one. */
  readonly firstDifferences: readonly Difference[];
}

export const shownDifferences = 10;

export function compareLines(expected: readonly string[], actual: readonly string[]): Comparison {
  const expectedCounts = countLines(expected);
  const actualCounts = countLines(actual);
  const differences: Difference[] = [];
  for (const [line, wanted] of expectedCounts) {
    const found = actualCounts.get(line) ?? 0;
    if (found < wanted) differences.push({ kind: 'missing', line, count: wanted - found });
    if (found > wanted) differences.push({ kind: 'duplicated', line, count: found - wanted });
  }
  for (const [line, found] of actualCounts) {
    if (!expectedCounts.has(line)) differences.push({ kind: 'extra', line, count: found });
  }
  differences.sort((a, b) => (a.line < b.line ? -1 : 1));
  const total = (kind: DifferenceKind) => differences.reduce((sum, each) => (each.kind === kind ? sum + each.count : sum), 0);
  return {
    missing: total('missing'),
    extra: total('extra'),
    duplicated: total('duplicated'),
    firstDifferences: differences.slice(0, shownDifferences),
  };
}

function countLines(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}
