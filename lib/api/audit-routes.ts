/** What was changed, by whom: ours. Records outlive their job, so one that is not known has none instead of a 404. */
import { Hono } from 'hono';
import { limits } from '../base/limits.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import { badParameter } from './known-problems.ts';
import { answer, jobOf } from './route-parameters.ts';

export function auditRoutes(log: AuditLog): Hono {
  const routes = new Hono();

  routes.get('/jobs/:jobid/audit', async (context) => {
    const job = jobOf(context);
    const number = (name: string, otherwise: number): number => {
      const text = context.req.query(name) ?? String(otherwise);
      if (!/^\d{1,12}$/.test(text)) throw badParameter('query', name, text);
      return Number(text);
    };
    const after = number('after', 0);
    const max = Math.min(Math.max(number('max', limits.auditRecordsShown), 1), limits.auditRecordsShownMax);
    // First: what is written meanwhile is no record too few.
    const head = (await log.head(job)) ?? null;
    const records = await log.read(job, after, max);
    const last = records.at(-1)?.number ?? after + max;
    return answer(context, { head, records, next: head !== null && last < head.number ? last : null });
  });

  return routes;
}
