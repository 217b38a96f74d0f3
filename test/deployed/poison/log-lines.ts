/** The sum of a metric in a function's log, as CloudWatch reads it there (lib/adapters/lambda/embedded-metrics.ts). */
export function metricsIn(lines: readonly string[], name: string): number {
  return lines.flatMap((line) => line.split('\n')).reduce((sum, line) => sum + numberIn(line, name), 0);
}

function numberIn(line: string, name: string): number {
  if (!line.includes('_aws')) return 0;
  try {
    const value = (JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>)[name];
    return typeof value === 'number' ? value : 0;
  } catch {
    return 0;
  }
}
