import { durationMsOf } from '../base/duration-text.ts';
import { SluiceError } from '../base/errors.ts';

/** `500ms`, `1s`, `10 min`, `1.5h`, `1d`. @throws SluiceError `SLUICE-USAGE` */
export function parseDuration(option: string, text: string): number {
  const durationMs = durationMsOf(text);
  if (durationMs !== undefined) return durationMs;
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
