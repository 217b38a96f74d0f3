/** From the error of a coordinator's flow to Flink's reason. */
import { isFailureReason, type FailureReason } from './failure-reason.ts';

/**
 * What a flow's error means for its checkpoint; the flow's data knows no more than a code. What neither a shard nor a timeout named is a fault of
 * storing or sending, by the step it hit.
 */
export function reasonOfFlowError(code: string, failedIn: 'numbering' | 'trigger' | 'complete'): FailureReason {
  if (isFailureReason(code)) return code;
  if (failedIn === 'complete') return 'FINALIZE_CHECKPOINT_FAILURE';
  if (code === 'States.Timeout') return 'CHECKPOINT_EXPIRED';
  return failedIn === 'numbering' ? 'IO_EXCEPTION' : 'TRIGGER_CHECKPOINT_FAILURE';
}
