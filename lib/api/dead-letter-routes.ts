import { Hono } from 'hono';
import { limits } from '../base/limits.ts';
import type { ApiOptions } from './api-app.ts';
import { badParameter } from './known-problems.ts';
import { answer, found, jobOf } from './route-parameters.ts';
import { deadLettersView } from './views/dead-letters-view.ts';

export function deadLetterRoutes({ control }: ApiOptions): Hono {
  const routes = new Hono();

  routes.get('/jobs/:jobid/dead-letters', async (context) => {
    const job = jobOf(context);
    const text = context.req.query('max') ?? String(limits.deadLettersShown);
    if (!/^\d{1,7}$/.test(text)) throw badParameter('query', 'max', text);
    return answer(context, deadLettersView(found(job, await control.deadLetters(job)), Number(text)));
  });

  return routes;
}
