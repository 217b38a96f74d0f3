/** How records come into windows of time. Plain data, so that plan and explain can show it. */
import type { TimerDomain } from '../model/state-row.ts';

export interface WindowAssigner {
  readonly kind: 'tumbling' | 'sliding' | 'session';
  readonly domain: TimerDomain;
  /** Length of a window; of a session the gap that ends it. */
  readonly sizeMs: number;
  /** Distance between the starts of two windows; of tumbling windows their size. */
  readonly slideMs: number;
  /** Shifts the starts, for example to the midnight of a time zone. */
  readonly offsetMs: number;
}

/** What is wrong with an assigner's numbers, as sentences. */
export function assignerFaults({ kind, sizeMs, slideMs, offsetMs }: WindowAssigner): string[] {
  const faults: string[] = [];
  const size = kind === 'session' ? 'the gap of a session' : 'the size of a window';
  if (!Number.isSafeInteger(sizeMs) || sizeMs < 1)
    faults.push(`${size} is ${sizeMs} ms, and must be a whole number of milliseconds above 0`);
  if (!Number.isSafeInteger(slideMs) || slideMs < 1)
    faults.push(`the slide of a window is ${slideMs} ms, and must be a whole number of milliseconds above 0`);
  if (!Number.isSafeInteger(offsetMs) || Math.abs(offsetMs) >= Math.max(slideMs, 1)) {
    faults.push(
      `the offset of a window is ${offsetMs} ms, and must be a whole number of milliseconds smaller than ${kind === 'sliding' ? 'the slide' : 'the size'}`,
    );
  }
  return faults;
}
