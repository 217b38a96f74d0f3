/** What sinks on AWS have in common: pauses before a further try, and what a failure means to whoever reads it. */
import { errorMessage, SluiceError } from '../../base/errors.ts';
import type { Clock, Random, Timers } from '../../ports/system.ts';
import { isThrottle } from '../aws-sdk/call-failed.ts';
import { s3Problem } from './s3-errors.ts';

export interface DeliveryTools {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly firstPauseMs?: number;
}

const defaultFirstPauseMs = 50;
const pauseMsMax = 2_000;
/** Behind the tries of the SDK; then the flow of the checkpoint tries again, ever more seldom. */
export const deliveryTriesMax = 6;

/** Grows, and is never the same for two. */
export function pauseBefore(tries: number, { timers, random, firstPauseMs = defaultFirstPauseMs }: DeliveryTools): Promise<void> {
  const longestMs = Math.min(pauseMsMax, firstPauseMs * 2 ** tries);
  return new Promise((resolve) => void timers.after(longestMs * random.fraction(), resolve));
}

export interface DeliveryPlace {
  /** For people. */
  readonly place: string;
  /** What the role must be allowed. */
  readonly action: string;
}

/** @returns SluiceError `SLUICE-OUTPUT-FAILED`, retryable where the same call may go through later */
export function deliveryFailed({ place, action }: DeliveryPlace, error: unknown): unknown {
  if (error instanceof SluiceError) return error;
  const { status, name, isPermanent } = s3Problem(error);
  const text = errorMessage(error);
  return new SluiceError('SLUICE-OUTPUT-FAILED', `${place} cannot be written: ${text.startsWith(name) ? text : `${name}: ${text}`}`, {
    hint: `Look at its name and region, at credentials (AWS_PROFILE, AWS_REGION), and let the role of the program do ${action}.`,
    facts: { place, code: name, status },
    cause: error,
    retryable: isThrottle(error) || !isPermanent,
  });
}
