import { Hono } from 'hono';
import type { ApiOptions } from './api-app.ts';
import { badParameter } from './known-problems.ts';
import { handlerProblem } from './request-problem.ts';
import { answer, found, jobOf } from './route-parameters.ts';
import { checkpointConfigView, checkpointDetailsView, checkpointsView } from './views/checkpoint-view.ts';

export function checkpointRoutes({ control, clock }: ApiOptions): Hono {
  const routes = new Hono();

  routes.get('/jobs/:jobid/checkpoints', async (context) => {
    const job = jobOf(context);
    return answer(context, checkpointsView(found(job, await control.checkpoints(job)), clock.now()));
  });

  routes.get('/jobs/:jobid/checkpoints/config', async (context) => {
    const job = jobOf(context);
    return answer(context, checkpointConfigView(found(job, await control.details(job)).settings));
  });

  routes.get('/jobs/:jobid/checkpoints/details/:checkpointid', async (context) => {
    const job = jobOf(context);
    const text = context.req.param('checkpointid');
    if (!/^\d{1,15}$/.test(text)) throw badParameter('path', 'checkpointid', text);
    const view = checkpointDetailsView(found(job, await control.checkpoints(job)), Number(text), clock.now());
    if (view === undefined) {
      throw handlerProblem(404, 'SLUICE-API-PATH-UNKNOWN', `Could not find checkpointing statistics for checkpoint ${text}.`);
    }
    return answer(context, view);
  });

  return routes;
}
