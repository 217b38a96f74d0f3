/** Checkpoint options as a job's file sets them, in Flink's names. What is not set is left to the command line, and then to the defaults (docs/checkpoints.md). */
import type { CheckpointMode } from './envelope.ts';

export interface CheckpointOptions {
  readonly mode?: CheckpointMode;
  readonly timeoutMs?: number;
  /** From the end of one checkpoint to the start of the next. */
  readonly minPauseMs?: number;
  readonly maxConcurrentCheckpoints?: number;
  /** Consecutive failures that are borne before the job goes back to its newest checkpoint. */
  readonly tolerableFailedCheckpoints?: number;
  readonly numRetained?: number;
  readonly externalizedCheckpointRetention?: 'delete-on-cancellation' | 'retain-on-cancellation';
  /** Barriers overtake what is in flight, which becomes part of the checkpoint. */
  readonly unaligned?: boolean;
  /** Unaligned: so long after its trigger a checkpoint is aligned. */
  readonly alignedCheckpointTimeoutMs?: number;
}

export interface JobCheckpointing extends CheckpointOptions {
  readonly intervalMs?: number;
}
