/** Durations are plain milliseconds; these say the unit where a number is written down. */
export function seconds(count: number): number {
  return count * 1_000;
}

export function minutes(count: number): number {
  return count * 60_000;
}

export function hours(count: number): number {
  return count * 3_600_000;
}

export function days(count: number): number {
  return count * 86_400_000;
}

/** In the largest unit that says it exactly: `90min`. */
export function durationText(durationMs: number): string {
  const [unit, unitMs] = units.find(([, size]) => durationMs !== 0 && durationMs % size === 0) ?? ['ms', 1];
  return `${durationMs / unitMs}${unit}`;
}

const units = [
  ['d', days(1)],
  ['h', hours(1)],
  ['min', minutes(1)],
  ['s', seconds(1)],
] as const;
