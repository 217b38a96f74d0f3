/** Why an invocation stops working on a shard. None of these reaches a user as it is. */
import type { OperatorUid } from '../base/ids.ts';
import type { ElementPlace } from '../model/dead-letter.ts';
import { SluiceError, type ErrorFacts } from '../base/errors.ts';

/** Somebody else committed first: the work is thrown away, the messages come again. */
export class LostRaceError extends Error {
  constructor(what: string) {
    super(`lost the race for ${what}`);
    this.name = 'LostRaceError';
  }
}

/** The messages stay in the queue: another plan is deployed, the job is not running, an object is not there yet. */
export class NotNowError extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'NotNowError';
  }
}

/** User code threw. `cause` is what it threw. */
export class UserCodeError extends Error {
  readonly operator: OperatorUid;
  readonly facts: ErrorFacts;
  /** The element that it was about, where it was about one. */
  readonly place: ElementPlace | null;

  constructor(operator: OperatorUid, cause: unknown, facts: ErrorFacts, place: ElementPlace | null) {
    super(`operator ${operator} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'UserCodeError';
    this.operator = operator;
    this.facts = facts;
    this.place = place;
  }
}

/** G1 is broken: an envelope is missing. Counts only after job and shard record have been read again and are unchanged. */
export function gapError(channel: string, last: number, sequence: number): SluiceError {
  return new SluiceError('SLUICE-CHANNEL-GAP', `channel ${channel} continues at ${sequence}, but ${last + 1} has not come`, {
    hint: 'A message was lost or expired. Restore the job from its newest checkpoint; nothing of the checkpoint is lost.',
    facts: { channel, last, sequence },
  });
}

export function objectMissing(key: string): SluiceError {
  return new SluiceError('SLUICE-OBJECT-MISSING', `object ${key} is named by a record and does not exist`, {
    hint: 'Somebody deleted it. Restore the job from a checkpoint or savepoint that validates.',
    facts: { key },
  });
}
