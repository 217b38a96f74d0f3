/** Lambda: the first and the last act of a deployment, as a custom resource of CloudFormation. */
import { answerCloudFormation, type CustomResourceEvent } from '../lib/adapters/lambda/custom-resource.ts';
import { checkDeployment, deploy } from '../lib/coordinator/deployment.ts';
import { createCoordinator } from './coordinator-runtime.ts';
import { awaitOperation } from './await-operation.ts';
import { readJobEnvironment } from './job-environment.ts';
import { newPlanOf } from './job-program.ts';

const environment = readJobEnvironment();
const { job } = environment;
const { deps, stores, compiled } = createCoordinator(environment);
const newPlan = newPlanOf(environment, compiled);

interface Properties {
  readonly phase: 'check' | 'restore';
  readonly allowNonRestoredState: 'true' | 'false';
}

export const handler = (event: CustomResourceEvent<Properties>): Promise<void> =>
  answerCloudFormation(event, async () => {
    const { phase, allowNonRestoredState } = event.ResourceProperties;
    const deployment = { job, newPlan, allowNonRestoredState: allowNonRestoredState === 'true' };
    if (event.RequestType === 'Delete') return;
    if (phase === 'check') return void (await checkDeployment(deps, deployment));
    const trigger = `deploy-${event.RequestId}`;
    const { kind } = await deploy(deps, deployment, trigger);
    if (kind === 'restores') await awaitOperation(deps, stores, { job, trigger });
  });
