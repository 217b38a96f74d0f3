import { Hono } from 'hono';
import type { ApiOptions } from './api-app.ts';
import { badParameter, jobNotFoundText } from './known-problems.ts';
import { readBody } from './request-body.ts';
import { handlerProblem, serverProblem } from './request-problem.ts';
import { answer, found, jobOf } from './route-parameters.ts';
import { exceptionsView } from './views/exceptions-view.ts';
import { configView, jobView } from './views/job-view.ts';
import { planView } from './views/plan-view.ts';

const stopRemoved =
  'The termination mode "stop" has been removed. For an ungraceful shutdown, please use "cancel" instead. For a graceful shutdown, please use "jobs/:jobId/stop" instead.';

export function jobRoutes({ control, clock }: ApiOptions): Hono {
  const routes = new Hono();

  routes.get('/jobs/:jobid', async (context) => {
    const job = jobOf(context);
    return answer(context, jobView(found(job, await control.details(job)), clock.now()));
  });

  routes.get('/jobs/:jobid/status', async (context) => {
    const job = jobOf(context);
    const status = await control.status(job);
    // The one place where Flink answers 500 for an unknown job; its clients wait for one that is being submitted.
    if (status === undefined) throw serverProblem('SLUICE-JOB-UNKNOWN', jobNotFoundText(job));
    return answer(context, { status });
  });

  routes.get('/jobs/:jobid/config', async (context) => {
    const job = jobOf(context);
    return answer(context, configView(found(job, await control.details(job))));
  });

  routes.get('/jobs/:jobid/plan', async (context) => {
    const job = jobOf(context);
    return answer(context, { plan: planView(job, found(job, await control.details(job)).plan) });
  });

  routes.get('/jobs/:jobid/exceptions', async (context) => {
    const job = jobOf(context);
    const failure = found(job, await control.failure(job));
    return answer(context, exceptionsView(failure, failure === null ? await control.problems(job) : []));
  });

  routes.patch('/jobs/:jobid', async (context) => {
    const job = jobOf(context);
    const mode = context.req.query('mode') ?? 'cancel';
    if (mode === 'stop') throw handlerProblem(308, 'SLUICE-API-REQUEST', stopRemoved);
    if (mode !== 'cancel') throw badParameter('query', 'mode', mode);
    readBody(await context.req.text(), 'EmptyRequestBody');
    const canceled = await control.cancel(job);
    if (canceled.outcome === 'unknown-job') {
      throw handlerProblem(404, 'SLUICE-JOB-UNKNOWN', 'Job could not be found.', jobNotFoundText(job));
    }
    if (canceled.outcome === 'ended') {
      const text = `Job cancellation failed because the job has already reached another terminal state (${canceled.status}).`;
      throw handlerProblem(409, 'SLUICE-JOB-ENDED', text);
    }
    return answer(context, {}, 202);
  });

  return routes;
}
