import { SluiceError } from '../base/errors.ts';

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `1s`, `10 min`, `1.5h`, `1d`. @throws SluiceError `SLUICE-USAGE` */
export function parseDuration(option: string, text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)$/.exec(text.trim()) ?? [];
  if (amount !== undefined && unit !== undefined) return Math.round(Number(amount) * unitsMs[unit]!);
  throw new SluiceError('SLUICE-USAGE', `${option} is ${JSON.stringify(text)}, which is no duration`, {
    hint: 'Write a number and a unit: 500ms, 1s, 10min, 1h.',
    facts: { option, text },
  });
}

/** `850 ms`, `3.2 s`, `4 min 10 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
