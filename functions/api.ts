/** Lambda: the changes of one job, asked for over HTTP. Who may call what is decided by API Gateway (infra/control-api.ts), and looked at again here. */
import { handle } from 'hono/aws-lambda';
import { createApi } from '../lib/api/api-app.ts';
import { readAuditedState } from '../lib/api/audited-state.ts';
import { createPortJobControl } from '../lib/api/port-job-control.ts';
import { readAccess } from './api-access.ts';
import { createCoordinator } from './coordinator-runtime.ts';
import { readJobEnvironment } from './job-environment.ts';

const environment = readJobEnvironment();
const { deps, stores } = createCoordinator(environment);
const location = (path: string): string => `s3://${environment.bucket}/${path}`;

const control = createPortJobControl({
  deps,
  savepointDirectory: deps.savepointDirectory ?? null,
  checkpointLocation: location,
});

export const handler = handle(
  createApi({
    control,
    clock: stores.clock,
    logger: stores.logger,
    durable: () => Promise.resolve(),
    version: environment.code,
    access: readAccess(),
    audit: { log: stores.audit, stateOf: (job) => readAuditedState(deps, job) },
  }),
);
