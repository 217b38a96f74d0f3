/** Summaries as Flink computes them: whole averages, and percentiles by position p × (n + 1) between two neighbours. */
const quantiles = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;

/** An empty summary has the text `NaN` where a percentile would stand. */
export function summaryOf(values: readonly number[]): Readonly<Record<string, number | string>> {
  const total = values.reduce((sum, value) => sum + value, 0);
  return {
    min: values.length === 0 ? 0 : Math.min(...values),
    max: values.length === 0 ? 0 : Math.max(...values),
    avg: values.length === 0 ? 0 : Math.floor(total / values.length),
    ...Object.fromEntries(Object.entries(quantiles).map(([name, quantile]) => [name, percentile(values, quantile) ?? 'NaN'])),
  };
}

/** undefined = of nothing. */
export function percentile(values: readonly number[], quantile: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const position = quantile * (sorted.length + 1);
  if (position < 1) return sorted[0];
  if (position >= sorted.length) return sorted.at(-1);
  const below = Math.floor(position);
  const lower = sorted[below - 1]!;
  return lower + (position - below) * (sorted[below]! - lower);
}
