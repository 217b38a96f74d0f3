/** What stands in a path, checked; and the one way in which an answer is written. */
import type { Context } from 'hono';
import { isJobId, type JobId } from '../base/ids.ts';
import { badParameter, unknownJob } from './known-problems.ts';

/** Flink reads ids in either case. */
export function jobOf(context: Context): JobId {
  const text = context.req.param('jobid') ?? '';
  const job = text.toLowerCase();
  if (!isJobId(job)) throw badParameter('path', 'jobid', text);
  return job;
}

export function triggerOf(context: Context): string {
  const text = context.req.param('triggerid') ?? '';
  if (!/^[0-9a-fA-F]{32}$/.test(text)) throw badParameter('path', 'triggerid', text);
  return text.toLowerCase();
}

export function found<T>(job: JobId, value: T | undefined): T {
  if (value === undefined) throw unknownJob(job);
  return value;
}

export function answer(context: Context, view: unknown, status: 200 | 202 = 200): Response {
  return context.body(JSON.stringify(view), status, { 'content-type': 'application/json; charset=UTF-8' });
}
