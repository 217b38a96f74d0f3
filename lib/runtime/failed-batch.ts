/** What a failed try is taken for, and how it is told: pure but for the time that it is told with. */
import { inspect } from 'node:util';
import type { OperatorUid } from '../base/ids.ts';
import { SluiceError, errorMessage, type ErrorFacts } from '../base/errors.ts';
import type { JobFailure } from '../model/coordinator-message.ts';
import { processEndedCode } from './careful.ts';
import { LostRaceError, NotNowError, UserCodeError } from './errors.ts';

/**
 * - `none`: nobody's fault, and nothing to be told. - `passing`: tried again until it works. - `restart`: tried again as often as the restart strategy
 *   says. - `lasting`: no further try can mend it.
 */
export type FailureKind = 'none' | 'passing' | 'restart' | 'lasting';

/** Tries after which an error is taken for one that lasts: of a service, or one that says itself that no other try will do. */
const passingTries = 3;

/** `tries`: how often the batch has been received. What user code throws of its own counts from the first. */
export function failureKind(error: unknown, tries: number): FailureKind {
  if (error instanceof LostRaceError || error instanceof NotNowError) return 'none';
  const cause = causeOf(error);
  if (cause instanceof SluiceError && cause.code === processEndedCode) return 'restart';
  if (cause instanceof SluiceError && cause.retryable) return 'passing';
  if (cause instanceof SluiceError) return tries < passingTries ? 'passing' : 'lasting';
  return error instanceof UserCodeError || tries >= passingTries ? 'restart' : 'passing';
}

function causeOf(error: unknown): unknown {
  return error instanceof UserCodeError ? error.cause : error;
}

export function describeFailure(
  error: unknown,
  { uid, shard, atMs }: { readonly uid: OperatorUid; readonly shard: number; readonly atMs: number },
): JobFailure {
  const cause = causeOf(error);
  const known = cause instanceof SluiceError ? cause : undefined;
  const isUsers = error instanceof UserCodeError;
  const operator = isUsers ? error.operator : uid;
  return {
    code: known?.code ?? (isUsers ? 'SLUICE-USER-CODE' : 'SLUICE-BATCH-FAILED'),
    message: known?.message ?? `operator ${operator} failed: ${errorMessage(cause)}`,
    hint: known?.hint ?? `${isUsers ? 'Correct the function' : 'Remove the cause'} and ${restoreHint}`,
    operator,
    shard,
    facts: {
      ...plain(known?.facts),
      ...(isUsers ? whereOf(error.facts) : {}),
      stack: cause instanceof Error ? (cause.stack ?? '').slice(0, 4000) : '',
    },
    atMs,
  };
}

const restoreHint = 'run the job again: it goes on from its newest checkpoint; its inputs are still in the queue.';

function whereOf({ record, ...facts }: ErrorFacts): ErrorFacts {
  return { ...facts, record: brief(record) };
}

/** Facts as they can be sent: whatever an error carries must not keep the report from going out. */
function plain(facts: ErrorFacts = {}): ErrorFacts {
  return Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, typeof fact === 'object' ? brief(fact) : plainText(fact)]));
}

function plainText(fact: unknown): unknown {
  return typeof fact === 'function' || typeof fact === 'symbol' ? String(fact) : fact;
}

/** A record for people: cut, and never in the way of the report. */
function brief(record: unknown): string {
  try {
    return (JSON.stringify(record) ?? 'undefined').slice(0, 1000);
  } catch {
    // What JSON cannot hold, which may be just what is wrong with it.
    return inspect(record, { customInspect: false, breakLength: Infinity }).slice(0, 1000);
  }
}
