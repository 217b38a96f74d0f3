/** Savepoints and stops: triggered here, done by flows, looked at by trigger id. Both are looked at under `/savepoints`, as in Flink. */
import { Hono } from 'hono';
import { manualCheckpointKind } from '../coordinator/manual-checkpoint.ts';
import type { ApiOptions } from './api-app.ts';
import type { TriggerOutcome } from './job-control.ts';
import { readBody } from './request-body.ts';
import { handlerProblem } from './request-problem.ts';
import { answer, jobOf, triggerOf } from './route-parameters.ts';
import { savepointOperationView } from './views/operation-view.ts';

/** Savepoints have one format here, which is open and of no state backend; a request for Flink's native one gets it too. */
const formats = ['CANONICAL', 'NATIVE'] as const;

export function operationRoutes({ control }: ApiOptions): Hono {
  const routes = new Hono();

  routes.post('/jobs/:jobid/savepoints', async (context) => {
    const job = jobOf(context);
    const body = readBody(await context.req.text(), 'SavepointTriggerRequestBody');
    body.choice('formatType', formats);
    const triggered = await control.triggerSavepoint(job, {
      trigger: body.trigger(),
      directory: body.directory('target-directory'),
      then: body.flag('cancel-job') ? 'cancel' : 'run-on',
    });
    return answer(context, { 'request-id': acceptedTrigger(triggered, 'target-directory') }, 202);
  });

  routes.post('/jobs/:jobid/stop', async (context) => {
    const job = jobOf(context);
    const body = readBody(await context.req.text(), 'StopWithSavepointRequestBody');
    body.choice('formatType', formats);
    const triggered = await control.triggerStop(job, {
      trigger: body.trigger(),
      directory: body.directory('targetDirectory'),
      mode: body.flag('drain') ? 'drain' : 'suspend',
    });
    return answer(context, { 'request-id': acceptedTrigger(triggered, 'targetDirectory') }, 202);
  });

  routes.get('/jobs/:jobid/savepoints/:triggerid', async (context) => {
    const job = jobOf(context);
    const trigger = triggerOf(context);
    const operation = await control.operation(job, trigger);
    if (operation === undefined || operation.kind === manualCheckpointKind) {
      const text = `There is no savepoint operation with triggerId=${trigger} for job ${job}.`;
      throw handlerProblem(404, 'SLUICE-OPERATION-UNKNOWN', text);
    }
    return answer(context, savepointOperationView(operation));
  });

  return routes;
}

function acceptedTrigger(triggered: TriggerOutcome, property: string): string {
  if (triggered.outcome === 'accepted') return triggered.trigger;
  const text = `Config key [execution.checkpointing.savepoint-dir] is not set. Property [${property}] must be provided.`;
  throw handlerProblem(400, 'SLUICE-API-REQUEST', text);
}
