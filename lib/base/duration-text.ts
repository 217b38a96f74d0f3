/** Durations as people and Flink write them: `500ms`, `1s`, `10 min`, `1.5h`, `1d`. */
const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Undefined where the text is no duration. */
export function durationMsOf(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)$/.exec(text.trim()) ?? [];
  return amount === undefined || unit === undefined ? undefined : Math.round(Number(amount) * unitsMs[unit]!);
}
