/** Savepoints and stops: triggered here, done by flows, looked at by trigger id. Both are looked at under `/savepoints`, as in Flink. */
import { Hono } from 'hono';
import type { ApiOptions } from './api-app.ts';
import type { TriggerOutcome } from './job-control.ts';
import { choiceField, flagField, parseBody, textField, triggerField } from './request-body.ts';
import { handlerProblem } from './request-problem.ts';
import { answer, jobOf, triggerOf } from './route-parameters.ts';
import { savepointOperationView } from './views/operation-view.ts';

const savepointBody = { format: 'SavepointTriggerRequestBody' };
const stopBody = { format: 'StopWithSavepointRequestBody' };
/** Savepoints have one format here, which is open and of no state backend; a request for Flink's native one gets it too. */
const formats = ['CANONICAL', 'NATIVE'] as const;

export function operationRoutes({ control }: ApiOptions): Hono {
  const routes = new Hono();

  routes.post('/jobs/:jobid/savepoints', async (context) => {
    const job = jobOf(context);
    const body = parseBody(await context.req.text(), savepointBody);
    choiceField(body, 'formatType', formats, savepointBody);
    const triggered = await control.triggerSavepoint(job, {
      trigger: triggerField(body, savepointBody),
      directory: textField(body, 'target-directory', savepointBody),
      then: flagField(body, 'cancel-job', savepointBody) ? 'cancel' : 'run-on',
    });
    return answer(context, { 'request-id': acceptedTrigger(triggered, 'target-directory') }, 202);
  });

  routes.post('/jobs/:jobid/stop', async (context) => {
    const job = jobOf(context);
    const body = parseBody(await context.req.text(), stopBody);
    choiceField(body, 'formatType', formats, stopBody);
    const triggered = await control.triggerStop(job, {
      trigger: triggerField(body, stopBody),
      directory: textField(body, 'targetDirectory', stopBody),
      mode: flagField(body, 'drain', stopBody) ? 'drain' : 'suspend',
    });
    return answer(context, { 'request-id': acceptedTrigger(triggered, 'targetDirectory') }, 202);
  });

  routes.get('/jobs/:jobid/savepoints/:triggerid', async (context) => {
    const job = jobOf(context);
    const trigger = triggerOf(context);
    const operation = await control.operation(job, trigger);
    if (operation === undefined) {
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
