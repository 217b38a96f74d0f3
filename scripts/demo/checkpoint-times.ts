/** What the API says about checkpoints, as far as it is used here. */
export interface ListedCheckpoint {
  readonly status: string;
  readonly checkpoint_type: string;
  readonly trigger_timestamp: number;
  readonly end_to_end_duration: number;
}

/** `7, median 407 ms, longest 690 ms` of the completed checkpoints that were triggered at that time or later: the history is of all lives of the job. */
export function checkpointTimes(history: readonly ListedCheckpoint[], sinceMs: number): string {
  const durations = history
    .filter((checkpoint) => checkpoint.trigger_timestamp >= sinceMs)
    .filter((checkpoint) => checkpoint.status === 'COMPLETED' && checkpoint.checkpoint_type === 'CHECKPOINT')
    .map((checkpoint) => checkpoint.end_to_end_duration)
    .sort((a, b) => a - b);
  if (durations.length === 0) return 'none yet';
  const median = durations[Math.floor((durations.length - 1) / 2)]!;
  return `${durations.length}, median ${median} ms, longest ${durations.at(-1)!} ms`;
}
