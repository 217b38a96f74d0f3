/** Lambda: every question about every job, out of the table and the bucket. It needs no job's code, and may write nothing. */
import { handle } from 'hono/aws-lambda';
import { createDynamoDbClient } from '../lib/adapters/aws-sdk/dynamodb-client.ts';
import { Meter } from '../lib/adapters/aws-sdk/meter.ts';
import { createS3Client } from '../lib/adapters/aws-sdk/s3-client.ts';
import { createDynamoDbStores } from '../lib/adapters/dynamodb/dynamodb-stores.ts';
import { createS3ObjectStore } from '../lib/adapters/s3/object-store.ts';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { systemRandom as random } from '../lib/adapters/system/random.ts';
import { systemTimers as timers } from '../lib/adapters/system/timers.ts';
import { createApi } from '../lib/api/api-app.ts';
import { readAuditedState } from '../lib/api/audited-state.ts';
import { createPortJobReads } from '../lib/api/port-job-reads.ts';
import { readOnlyControl } from '../lib/api/read-only-control.ts';
import { readAccess } from './api-access.ts';
import { wantedVariable } from './job-environment.ts';

const [table, bucket, account, version] = ['SLUICE_TABLE', 'SLUICE_BUCKET', 'SLUICE_ACCOUNT', 'SLUICE_CODE'].map((name) =>
  wantedVariable(name),
) as [string, string, string, string];
const system = { clock, random, timers };
const meter = new Meter();
const { audit, ...stores } = createDynamoDbStores({ ...system, client: createDynamoDbClient({ meter }), table, tombstonesKeptMs: 0 });
const deps = {
  ...stores,
  objects: createS3ObjectStore({ ...system, client: createS3Client({ meter, owned: { bucket, account } }), bucket }),
};
const reads = createPortJobReads({ deps, checkpointLocation: (path) => `s3://${bucket}/${path}` });

export const handler = handle(
  createApi({
    control: readOnlyControl(reads),
    clock,
    logger: createLogger({ clock, format: 'json' }),
    durable: () => Promise.resolve(),
    version,
    access: readAccess(),
    audit: { log: audit, stateOf: (job) => readAuditedState(deps, job) },
  }),
);
