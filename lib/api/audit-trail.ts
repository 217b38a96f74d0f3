/**
 * Writes what is asked for before it is done, and afterwards how it went.
 *
 * AT1. Nothing is changed of which no record could be written: the request is refused, and nothing has happened.
 * AT2. Where only the outcome cannot be written, the answer is given all the same: the change has been made, and who asked would make it again. The log
 *      says so, and whoever verifies the chain finds a change without an outcome.
 * AT3. The hash of every record is in the log too, which another service keeps: who can write to the table cannot make a new chain unseen.
 */
import { createHash } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { errorCode, errorMessage, SluiceError } from '../base/errors.ts';
import { isJobId, type JobId } from '../base/ids.ts';
import type { AskedChange, RecordChange } from '../coordinator/coordinator-deps.ts';
import { noRecord, sealEntry, type AuditEntry, type AuditedRequest, type AuditedState, type AuditRecord } from '../model/audit-record.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Caller } from '../ports/caller.ts';
import type { Clock, Logger } from '../ports/system.ts';
import { errorCodeHeader, RequestProblem } from './request-problem.ts';

export interface AuditOptions {
  readonly log: AuditLog;
  /** null = there is no such job. */
  readonly stateOf: (job: JobId) => Promise<AuditedState | null>;
}

interface RecorderOptions extends AuditOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

interface TrailOptions extends RecorderOptions {
  readonly callerOf: (context: Context) => Caller | undefined;
}

/** Longer bodies are kept as their hash: no request of the API needs more. */
const bodyCharactersMax = 8_192;
/** So many others may write at the same moment before we give up. */
const triesMax = 20;

/** What is asked for past HTTP is recorded in the same chain (restore-by-hand.ts). */
export function changeRecorder(options: RecorderOptions): RecordChange {
  const { stateOf, clock, logger } = options;
  return async ({ job, who, requestId, request }) => {
    const facts = { job, who, requestId };
    const kept = { ...request, body: keptBody(request.body) };
    const asked = await append(options, { ...facts, kind: 'asked', atMs: clock.now(), request: kept, before: await stateOf(job) });
    return async (outcome) => {
      try {
        const after = await stateOf(job);
        await append(options, { ...facts, kind: 'answered', atMs: clock.now(), asked: asked.number, outcome, after });
      } catch (error) {
        logger.log('error', 'the outcome of a change could not be recorded', { job, asked: asked.number, error: errorMessage(error) });
      }
    };
  };
}

export function auditMiddleware(options: TrailOptions): MiddlewareHandler {
  const { logger, callerOf } = options;
  const record = changeRecorder(options);
  return async (context, next) => {
    const job = changedJob(context);
    if (job === undefined) return next();
    const caller = callerOf(context);
    const facts = { job, who: caller?.who ?? 'unknown', requestId: caller?.requestId ?? '' };
    const answered = await orRefuse(logger, async () => record({ ...facts, request: await requestOf(context) }));
    await next();
    await answered({ status: context.res.status, code: context.res.headers.get(errorCodeHeader) });
  };
}

/** Whatever is no question changes something. Without a job of which it could be, the routes refuse it. */
function changedJob({ req }: Context): JobId | undefined {
  if (req.method === 'GET' || req.method === 'HEAD') return undefined;
  const id = /^(?:\/v1)?\/jobs\/([^/]+)/.exec(req.path)?.[1]?.toLowerCase() ?? '';
  return isJobId(id) ? id : undefined;
}

async function requestOf({ req }: Context): Promise<AskedChange['request']> {
  return { method: req.method, path: req.path, query: new URL(req.url).search, body: await req.text() };
}

function keptBody(text: string): AuditedRequest['body'] {
  const characters = text.length;
  return characters <= bodyCharactersMax ? text : { sha256: createHash('sha256').update(text).digest('hex'), characters };
}

async function append({ log, logger }: RecorderOptions, entry: AuditEntry): Promise<AuditRecord> {
  for (let tries = 0; tries < triesMax; tries++) {
    const record = sealEntry(entry, (await log.head(entry.job)) ?? noRecord);
    if ((await log.create(record)) === 'exists') continue;
    const { job, number, hash } = record;
    logger.log('info', 'audit', { job, number, hash });
    return record;
  }
  throw new SluiceError('SLUICE-AUDIT-BUSY', `${triesMax} others have written to the audit of the job ${entry.job} at the same time`, {
    hint: 'Ask again.',
    facts: { job: entry.job },
    retryable: true,
  });
}

async function orRefuse<T>(logger: Logger, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    logger.log('error', 'a change was refused, because it could not be recorded', { error: errorMessage(error), code: errorCode(error) });
    const text = `SLUICE-AUDIT-UNAVAILABLE: the request could not be recorded, so nothing was done: ${errorMessage(error)}.`;
    throw new RequestProblem(503, 'SLUICE-AUDIT-UNAVAILABLE', [text]);
  }
}
