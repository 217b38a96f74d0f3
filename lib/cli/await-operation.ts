import { errorCode, SluiceError } from '../base/errors.ts';
import type { Timers } from '../ports/system.ts';
import type { ApiClient, OperationAnswer } from './api-client.ts';
import type { CliIo } from './cli-io.ts';

/** Flink's clients poll like this too: soon at first, then less and less often. */
const firstPauseMs = 40;
const longestPauseMs = 1_000;
const reasonAfterMs = 3_000;

/** Calls `poll` until it gives something. */
export async function pollUntil<T>(timers: Timers, poll: () => Promise<T | undefined>): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const result = await poll();
    if (result !== undefined) return result;
    await new Promise<void>((resolve) => timers.after(pauseMs, resolve));
  }
}

/** Where the savepoint is. @throws SluiceError with the operation's own code where it has failed */
export async function awaitOperation(io: CliIo, client: ApiClient, job: string, trigger: string): Promise<string> {
  const tellReason = reasonTeller(io, client, job);
  return pollUntil(io.timers, async () => {
    const { status, operation } = await answerOf(client, job, trigger);
    if (status.id === 'IN_PROGRESS' || operation === null) return tellReason();
    const failure = operation['failure-cause'];
    if (failure === undefined) return operation.location ?? '';
    throw new SluiceError(codeOf(failure.code), failure.message ?? failure['stack-trace'], {
      hint: failure.hint ?? 'Look at the log of the run.',
      facts: { job, trigger, reason: failure.code },
    });
  });
}

/** What takes long may wait for something that goes wrong in the job, and is tried again there: whoever waits is told once. */
function reasonTeller(io: CliIo, client: ApiClient, job: string): () => Promise<undefined> {
  const fromMs = io.clock.monotonic() + reasonAfterMs;
  let told = false;
  return async () => {
    if (told || io.clock.monotonic() < fromMs) return;
    // Where it does not answer the next poll says so.
    const answer = await client.get<ExceptionsAnswer>(`/jobs/${job}/exceptions`).catch(() => undefined);
    const problem = answer?.exceptionHistory.entries[0];
    if (problem === undefined) return;
    told = true;
    io.err(`still waiting: the job has a problem\n  ${problem.stacktrace.trim().replaceAll(/\n\s*/g, '\n  ')}\n`);
  };
}

interface ExceptionsAnswer {
  readonly exceptionHistory: { readonly entries: readonly { readonly stacktrace: string }[] };
}

/** The run ends with its job: a server that took the order and is gone has not failed to start. */
async function answerOf(client: ApiClient, job: string, trigger: string): Promise<OperationAnswer> {
  try {
    return await client.get<OperationAnswer>(`/jobs/${job}/savepoints/${trigger}`);
  } catch (error) {
    if (errorCode(error) !== 'SLUICE-SERVER-UNREACHABLE') throw error;
    throw new SluiceError('SLUICE-SAVEPOINT-FAILED', `the run of job ${job} ended before it said that the savepoint is complete`, {
      hint: 'Look at its output. With a data directory, run the job again and ask again.',
      facts: { job, trigger },
      cause: error,
    });
  }
}

/** Reasons of failed checkpoints have Flink's names; they are errors here under one code. */
function codeOf(code: string | undefined): string {
  return code?.startsWith('SLUICE-') === true ? code : 'SLUICE-SAVEPOINT-FAILED';
}
