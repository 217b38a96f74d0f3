/**
 * Why a checkpoint failed: of Flink's closed list those that can happen here (docs/checkpoints.md says why the others cannot). What happens next hangs on
 * it: `counted` ones count against the tolerable number, the others only end their own checkpoint.
 */

/** `counted` as in Flink's CheckpointFailureManager. */
const catalogue = {
  TOO_MANY_CHECKPOINT_REQUESTS: { counted: false, text: 'The maximum number of checkpoints in progress has been reached.' },
  NOT_ALL_REQUIRED_TASKS_RUNNING: { counted: false, text: 'The job is not running, or it is being stopped.' },
  IO_EXCEPTION: { counted: true, text: 'Storing the checkpoint met an I/O error.' },
  CHECKPOINT_EXPIRED: { counted: true, text: 'The checkpoint was not complete within its timeout.' },
  CHECKPOINT_SUBSUMED: { counted: false, text: 'A newer checkpoint completed first.' },
  CHECKPOINT_DECLINED_SUBSUMED: { counted: false, text: 'A newer barrier reached a shard before all of the checkpoint had come.' },
  CHECKPOINT_COORDINATOR_SHUTDOWN: { counted: false, text: 'The job ended.' },
  CHECKPOINT_COORDINATOR_SUSPEND: { counted: false, text: 'The job was suspended or restored.' },
  TASK_FAILURE: { counted: false, text: 'A shard failed.' },
  FINALIZE_CHECKPOINT_FAILURE: { counted: true, text: 'The manifest of the checkpoint could not be written.' },
  TRIGGER_CHECKPOINT_FAILURE: { counted: false, text: 'The barriers could not be sent to the sources.' },
} as const satisfies Readonly<Record<string, { readonly counted: boolean; readonly text: string }>>;

export type FailureReason = keyof typeof catalogue;

export const failureReasons = Object.keys(catalogue) as readonly FailureReason[];

export function countsAgainstTolerance(reason: FailureReason): boolean {
  return catalogue[reason].counted;
}

export function failureText(reason: FailureReason): string {
  return catalogue[reason].text;
}

export function isFailureReason(code: string): code is FailureReason {
  return Object.hasOwn(catalogue, code);
}
