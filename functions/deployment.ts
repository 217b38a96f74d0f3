/** Lambda: the first and the last act of a deployment, as custom resources of CloudFormation. */
import { answerCloudFormation, type CustomResourceEvent } from '../lib/adapters/lambda/custom-resource.ts';
import { checkDeployment, deploy, type Deployment } from '../lib/coordinator/deployment.ts';
import { awaitOperation } from './await-operation.ts';
import { createCoordinator } from './coordinator-runtime.ts';
import { readJobEnvironment } from './job-environment.ts';
import { newPlanOf } from './job-program.ts';

const environment = readJobEnvironment();
const { job } = environment;
const { deps, stores, compiled } = createCoordinator(environment);

/** CloudFormation makes texts of all values. */
type DeploymentEvent = CustomResourceEvent<{ readonly allowNonRestoredState: string }>;

export const check = (event: DeploymentEvent): Promise<void> =>
  answerCloudFormation(event, async () => {
    if (event.RequestType !== 'Delete') await checkDeployment(deps, deploymentOf(event));
  });

export const restore = (event: DeploymentEvent): Promise<void> =>
  answerCloudFormation(event, async () => {
    if (event.RequestType === 'Delete') return;
    const trigger = `deploy-${event.RequestId}`;
    const { kind } = await deploy(deps, deploymentOf(event), trigger);
    if (kind === 'restores') await awaitOperation(deps, stores, { job, trigger });
  });

function deploymentOf({ ResourceProperties: { allowNonRestoredState } }: DeploymentEvent): Deployment {
  return { job, newPlan: newPlanOf(environment, compiled), allowNonRestoredState: allowNonRestoredState === 'true' };
}
