/** Least and greatest number of each checkpoint setting. */
import type { CheckpointSettings } from './checkpoint-settings.ts';

type Counted = Exclude<keyof CheckpointSettings, 'mode' | 'retentionOnCancellation' | 'unaligned'>;

const yearMs = 365 * 86_400_000;

export const settingBounds: Readonly<Record<Counted, readonly [min: number, max: number]>> = {
  // Flink refuses intervals below 10 ms too: the job would do nothing else.
  intervalMs: [10, yearMs],
  timeoutMs: [10, yearMs],
  minPauseMs: [0, yearMs],
  maxConcurrent: [1, 8],
  tolerableFailures: [0, Number.MAX_SAFE_INTEGER],
  // All of them stand in the job record.
  retained: [1, 16],
  alignedTimeoutMs: [0, yearMs],
};
