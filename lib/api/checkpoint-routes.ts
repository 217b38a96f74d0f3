import { Hono } from 'hono';
import { manualCheckpointKind } from '../coordinator/manual-checkpoint.ts';
import type { ApiOptions } from './api-app.ts';
import { applyChange, changesView, readChange } from './checkpoint-change.ts';
import { badParameter } from './known-problems.ts';
import { readBody } from './request-body.ts';
import { handlerProblem, serverProblem } from './request-problem.ts';
import { answer, found, jobOf, triggerOf } from './route-parameters.ts';
import { checkpointConfigView, checkpointDetailsView, checkpointsView } from './views/checkpoint-view.ts';
import { checkpointOperationView } from './views/operation-view.ts';

/** Every checkpoint can be restored by itself, so a full one is the same. */
const checkpointTypes = ['CONFIGURED', 'FULL', 'INCREMENTAL'] as const;

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

  /** Ours: Flink's are fixed while a job runs. */
  routes.patch('/jobs/:jobid/checkpoints/config', async (context) => {
    const job = jobOf(context);
    const change = readChange(await context.req.text());
    const changed = found(job, await control.changeCheckpointSettings(job, (settings) => applyChange(settings, change)));
    if (changed.outcome === 'ended') throw handlerProblem(409, 'SLUICE-JOB-ENDED', `The job has ended and is ${changed.status}.`);
    return answer(context, { changes: changesView(changed.changes), config: checkpointConfigView(changed.settings) });
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

  routes.post('/jobs/:jobid/checkpoints', async (context) => {
    const job = jobOf(context);
    const body = readBody(await context.req.text(), 'CheckpointTriggerRequestBody');
    if (body.choice('checkpointType', checkpointTypes) === 'INCREMENTAL') {
      throw serverProblem(
        'SLUICE-API-REQUEST',
        'java.lang.IllegalStateException: Flink does not support triggering incremental checkpoint explicitly. See FLINK-33723.',
      );
    }
    return answer(context, { 'request-id': (await control.triggerCheckpoint(job, body.trigger())).trigger }, 202);
  });

  /** Last: what comes before it has names of its own. */
  routes.get('/jobs/:jobid/checkpoints/:triggerid', async (context) => {
    const job = jobOf(context);
    const trigger = triggerOf(context);
    const operation = await control.operation(job, trigger);
    if (operation?.kind !== manualCheckpointKind) {
      const text = `There is no checkpoint operation with triggerId=${trigger} for job ${job}.`;
      throw handlerProblem(404, 'SLUICE-OPERATION-UNKNOWN', text);
    }
    return answer(context, checkpointOperationView(operation));
  });

  return routes;
}
