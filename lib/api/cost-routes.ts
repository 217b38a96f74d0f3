import { Hono } from 'hono';
import type { ApiOptions } from './api-app.ts';
import { answer, found, jobOf } from './route-parameters.ts';
import { jobCostView } from './views/cost-view.ts';

export function costRoutes({ control }: ApiOptions): Hono {
  const routes = new Hono();

  /** Ours. Counts, not dollars: prices are the reader's. */
  routes.get('/jobs/:jobid/cost', async (context) => {
    const job = jobOf(context);
    const details = found(job, await control.details(job));
    return answer(context, jobCostView(details, found(job, await control.checkpoints(job))));
  });

  return routes;
}
