import type { JobId } from '../base/ids.ts';

/** What brings a job's messages to its functions. AWS bills the asking for messages, whether there are any or not. */
export interface EventSources {
  /** While an earlier turn is still under way it may throw something retryable: ask again. */
  turn(job: JobId, to: 'on' | 'off'): Promise<void>;
}
