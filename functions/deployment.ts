/** Lambda: the first and the last act of a deployment, as custom resources of CloudFormation. */
import { answerCloudFormation, type CustomResourceEvent } from '../lib/adapters/lambda/custom-resource.ts';
import { checkDeployment, deploy, type Deployment } from '../lib/coordinator/deployment.ts';
import { awaitOperation } from './await-operation.ts';
import type { CoordinatorRuntime } from './coordinator-runtime.ts';
import { readJobEnvironment } from './job-environment.ts';

/** CloudFormation makes texts of all values. */
type DeploymentEvent = CustomResourceEvent<{ readonly allowNonRestoredState: string }>;

export const check = (event: DeploymentEvent): Promise<void> =>
  answerCloudFormation(event, async () => {
    if (event.RequestType === 'Delete') return;
    const { deps, deployment } = await open(event);
    await checkDeployment(deps, deployment);
  });

export const restore = (event: DeploymentEvent): Promise<void> =>
  answerCloudFormation(event, async () => {
    if (event.RequestType === 'Delete') return;
    const { deps, stores, deployment } = await open(event);
    const trigger = `deploy-${event.RequestId}`;
    const { kind } = await deploy(deps, deployment, trigger);
    if (kind === 'restores') await awaitOperation(deps, stores, { job: deployment.job, trigger });
  });

/** Loaded here, not at the start of the process: what the user's module throws is answered too, and a deletion needs none of it (CR1). */
async function open({
  ResourceProperties: { allowNonRestoredState },
}: DeploymentEvent): Promise<Pick<CoordinatorRuntime, 'deps' | 'stores'> & { readonly deployment: Deployment }> {
  const environment = readJobEnvironment();
  const [{ createCoordinator }, { newPlanOf }] = await Promise.all([import('./coordinator-runtime.ts'), import('./job-program.ts')]);
  const { deps, stores, compiled } = createCoordinator(environment);
  const newPlan = newPlanOf(environment, compiled);
  return { deps, stores, deployment: { job: environment.job, newPlan, allowNonRestoredState: allowNonRestoredState === 'true' } };
}
