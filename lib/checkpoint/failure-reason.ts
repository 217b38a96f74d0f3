/**
 * Why a checkpoint failed: Flink's closed list. What happens next hangs on it: `counted` ones count against the tolerable number, the others only end
 * their own checkpoint.
 */

/** `counted` as in Flink's CheckpointFailureManager; `started` = the checkpoint had a number. */
const catalogue = {
  PERIODIC_SCHEDULER_SHUTDOWN: { counted: false, started: false, text: 'The periodic trigger has been shut down.' },
  TOO_MANY_CHECKPOINT_REQUESTS: { counted: false, started: false, text: 'The maximum number of checkpoints in progress has been reached.' },
  MINIMUM_TIME_BETWEEN_CHECKPOINTS: { counted: false, started: false, text: 'The minimum pause between checkpoints has not passed yet.' },
  NOT_ALL_REQUIRED_TASKS_RUNNING: { counted: false, started: false, text: 'The job is not running, or it is being stopped.' },
  IO_EXCEPTION: { counted: true, started: false, text: 'Storing the checkpoint met an I/O error.' },
  CHECKPOINT_ASYNC_EXCEPTION: { counted: true, started: true, text: 'A shard could not write its snapshot.' },
  CHECKPOINT_EXPIRED: { counted: true, started: true, text: 'The checkpoint was not complete within its timeout.' },
  CHECKPOINT_SUBSUMED: { counted: false, started: true, text: 'A newer checkpoint completed first.' },
  CHECKPOINT_DECLINED: { counted: true, started: true, text: 'A shard declined the checkpoint.' },
  CHECKPOINT_COORDINATOR_SHUTDOWN: { counted: false, started: true, text: 'The job ended.' },
  CHECKPOINT_COORDINATOR_SUSPEND: { counted: false, started: true, text: 'The job was suspended or restored.' },
  TASK_FAILURE: { counted: false, started: true, text: 'A shard failed.' },
  FINALIZE_CHECKPOINT_FAILURE: { counted: true, started: true, text: 'The manifest of the checkpoint could not be written.' },
  TRIGGER_CHECKPOINT_FAILURE: { counted: false, started: true, text: 'The barriers could not be sent to the sources.' },
} as const satisfies Readonly<Record<string, { readonly counted: boolean; readonly started: boolean; readonly text: string }>>;

export type FailureReason = keyof typeof catalogue;

export const failureReasons = Object.keys(catalogue) as readonly FailureReason[];

export function countsAgainstTolerance(reason: FailureReason): boolean {
  return catalogue[reason].counted;
}

export function failureText(reason: FailureReason): string {
  return catalogue[reason].text;
}

/**
 * What a flow's error means for its checkpoint. `phase` tells which of its tasks failed: the flow's data knows no more than a code.
 * What neither a shard nor a timeout named is a fault of storing or sending, by the phase it hit.
 */
export function reasonOfFlowError(code: string, phase: 'trigger' | 'complete'): FailureReason {
  if (failureReasons.includes(code as FailureReason)) return code as FailureReason;
  if (code === 'States.Timeout') return phase === 'trigger' ? 'CHECKPOINT_EXPIRED' : 'FINALIZE_CHECKPOINT_FAILURE';
  return phase === 'trigger' ? 'TRIGGER_CHECKPOINT_FAILURE' : 'FINALIZE_CHECKPOINT_FAILURE';
}
