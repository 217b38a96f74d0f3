import { Hono } from 'hono';
import type { ApiOptions } from './api-app.ts';
import type { JobDetails, VertexDetails } from './job-details.ts';
import { badParameter } from './known-problems.ts';
import { handlerProblem } from './request-problem.ts';
import { answer, found, jobOf } from './route-parameters.ts';
import { vertexId } from './views/vertex-id.ts';
import { vertexDetailsView, watermarksView } from './views/vertex-view.ts';

export function vertexRoutes({ control, clock }: ApiOptions): Hono {
  const routes = new Hono();

  routes.get('/jobs/:jobid/vertices/:vertexid', async (context) => {
    const job = jobOf(context);
    const details = found(job, await control.details(job));
    return answer(context, vertexDetailsView(details, vertexOf(details, context.req.param('vertexid')), clock.now()));
  });

  routes.get('/jobs/:jobid/vertices/:vertexid/watermarks', async (context) => {
    const job = jobOf(context);
    const details = found(job, await control.details(job));
    return answer(context, watermarksView(vertexOf(details, context.req.param('vertexid'))));
  });

  return routes;
}

function vertexOf({ job, vertices }: JobDetails, text: string): VertexDetails {
  if (!/^[0-9a-fA-F]{32}$/.test(text)) throw badParameter('path', 'vertexid', text);
  const vertex = vertices.find(({ uid }) => vertexId(uid) === text.toLowerCase());
  if (vertex === undefined) throw handlerProblem(404, 'SLUICE-API-PATH-UNKNOWN', `No vertex with ID '${text}' exists in job ${job}.`);
  return vertex;
}
