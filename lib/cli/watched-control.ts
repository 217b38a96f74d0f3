/**
 * Remembers which operations were asked for and whose end nobody has read yet. A run ends with its job; whoever asked for the savepoint that the job was
 * stopped with is still to be told where it is.
 */
import type { JobControl, TriggerOutcome } from '../api/job-control.ts';

export interface WatchedControl {
  readonly control: JobControl;
  /** Operations whose end has not been read. */
  readonly unread: () => number;
}

export function watchControl(control: JobControl): WatchedControl {
  const unread = new Set<string>();
  const noted = (triggered: TriggerOutcome): TriggerOutcome => {
    if (triggered.outcome === 'accepted') unread.add(triggered.trigger);
    return triggered;
  };
  return {
    unread: () => unread.size,
    control: {
      ...control,
      triggerSavepoint: async (job, request) => noted(await control.triggerSavepoint(job, request)),
      triggerCheckpoint: async (job, trigger) => {
        const triggered = await control.triggerCheckpoint(job, trigger);
        unread.add(triggered.trigger);
        return triggered;
      },
      triggerStop: async (job, request) => noted(await control.triggerStop(job, request)),
      operation: async (job, trigger) => {
        const operation = await control.operation(job, trigger);
        if (operation?.status === 'COMPLETED') unread.delete(trigger);
        return operation;
      },
    },
  };
}
