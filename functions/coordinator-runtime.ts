/** The coordinator of the job, as Lambda has it: its flows are state machines. */
import { createLambdaClient } from '../lib/adapters/aws-sdk/lambda-client.ts';
import { createStepFunctionsClient } from '../lib/adapters/aws-sdk/step-functions-client.ts';
import { createAwsConnectors } from './aws-connectors.ts';
import { createLambdaEventSources } from '../lib/adapters/lambda/event-sources.ts';
import { createS3SavepointFolders } from '../lib/adapters/s3/savepoint-folders.ts';
import { createStepFunctionsSignal } from '../lib/adapters/step-functions/coordinator-signal.ts';
import { createStepFunctionsFlowStarter } from '../lib/adapters/step-functions/flow-starter.ts';
import { changeRecorder } from '../lib/api/audit-trail.ts';
import { readAuditedState } from '../lib/api/audited-state.ts';
import type { CoordinatorDeps } from '../lib/coordinator/coordinator-deps.ts';
import type { EventSources } from '../lib/ports/event-sources.ts';
import { flowsOfExecution } from '../lib/coordinator/flow-names.ts';
import type { CompiledJob } from '../lib/dsl/compile-job.ts';
import { awsStateMachineName } from '../lib/model/aws-names.ts';
import { createAwsStores, garbageAgeMs, type AwsStores } from './aws-stores.ts';
import type { JobEnvironment } from './job-environment.ts';
import { compileBundled, newPlanOf } from './job-program.ts';

export interface CoordinatorRuntime {
  readonly deps: CoordinatorDeps;
  readonly stores: AwsStores;
  readonly compiled: CompiledJob;
}

const sweepMs = 3_600_000;
const collectMs = 600_000;
/** Of the five minutes that a step has. */
const stepMs = 60_000;

/** Turning is a step of a flow, and these are not told of the mappings. */
const noEventSources: EventSources = { turn: () => Promise.reject(new Error('only the steps of flows turn event sources')) };

export function createCoordinator(environment: JobEnvironment): CoordinatorRuntime {
  const compiled = compileBundled(environment);
  const stores = createAwsStores(environment, compiled.plan);
  const { s3 } = stores.clients;
  const client = createStepFunctionsClient({ meter: stores.meter });
  const stateMachineArn = (flow: string): string => `${environment.machines}${awsStateMachineName(environment.job, flow)}`;
  const { mappings } = environment;
  const deps: CoordinatorDeps = {
    ...stores,
    connectors: createAwsConnectors(stores),
    savepoints: createS3SavepointFolders({ ...stores, client: s3 }),
    signal: createStepFunctionsSignal(client),
    flows: createStepFunctionsFlowStarter({ client, stateMachineArn, flowsOf: flowsOfExecution }),
    eventSources:
      mappings === null ? noEventSources : createLambdaEventSources({ client: createLambdaClient({ meter: stores.meter }), mappings }),
    recordChange: changeRecorder({ ...stores, log: stores.audit, stateOf: (job) => readAuditedState(stores, job) }),
    planFor: (parallelism) => newPlanOf(environment, parallelism === null ? compiled : compileBundled(environment, parallelism)),
    savepointDirectory: `s3://${environment.bucket}/savepoints`,
    sweepMs,
    collectMs,
    garbageAgeMs,
    stepMs,
  };
  return { deps, stores, compiled };
}
