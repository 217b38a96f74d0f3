/**
 * Restores of a job in place: ours, because Flink restores by submitting a job anew. The body is the input of the state machine, so that what somebody has tried
 * here can be done there.
 */
import { Hono, type Context } from 'hono';
import type { JobId } from '../base/ids.ts';
import { SluiceError } from '../base/errors.ts';
import { readRestoreInput, type RestoreInput } from '../coordinator/restore-input.ts';
import type { ApiOptions } from './api-app.ts';
import { parseObject, readBody } from './request-body.ts';
import { handlerProblem } from './request-problem.ts';
import { answer, found, jobOf, triggerOf } from './route-parameters.ts';
import { restoreOperationView } from './views/operation-view.ts';

const format = 'RestoreRequestBody';

export function restoreRoutes({ control }: ApiOptions): Hono {
  const routes = new Hono();

  routes.post('/jobs/:jobid/restore', async (context) => {
    const job = jobOf(context);
    const { input, trigger } = await readRequest(context, job);
    if (input.dryRun === true) return answer(context, found(job, await preview(control, input)));
    return answer(context, { 'request-id': found(job, await control.triggerRestore(input, trigger)).trigger }, 202);
  });

  routes.get('/jobs/:jobid/restore/:triggerid', async (context) => {
    const job = jobOf(context);
    const trigger = triggerOf(context);
    const operation = await control.operation(job, trigger);
    if (operation?.kind !== 'restore') {
      const text = `There is no restore with triggerId=${trigger} for job ${job}.`;
      throw handlerProblem(404, 'SLUICE-OPERATION-UNKNOWN', text);
    }
    return answer(context, restoreOperationView(operation));
  });

  return routes;
}

/** Where it cannot lie is the caller's mistake. */
async function preview(control: ApiOptions['control'], input: RestoreInput): ReturnType<typeof control.previewRestore> {
  try {
    return await control.previewRestore(input);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'SLUICE-FOLDER-UNUSABLE') throw error;
    throw handlerProblem(400, error.code, `${error.message}. ${error.hint}`);
  }
}

async function readRequest(context: Context, job: JobId): Promise<{ readonly input: RestoreInput; readonly trigger: string | null }> {
  const text = await context.req.text();
  const trigger = readBody(text, format).trigger();
  const { triggerId: _, jobId = job, ...fields } = parseObject(text, format);
  if (jobId !== job) throw handlerProblem(400, 'SLUICE-API-REQUEST', `The body is about job ${String(jobId)}, the path about ${job}.`);
  try {
    return { input: readRestoreInput({ ...fields, jobId }), trigger };
  } catch (error) {
    if (error instanceof SluiceError) throw handlerProblem(400, error.code, `${error.message}. ${error.hint}`);
    throw error;
  }
}
