/**
 * The first and the last act of a deployment (lib/coordinator/deployment.ts).
 *
 * DP1. Every function of the job depends on the check: where the new plan cannot take the job's state, CloudFormation has changed none of them.
 * DP2. Nothing of the job comes after the restore.
 */
import { CustomResource, Duration } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { Construct, type IConstruct } from 'constructs';
import { JobFunction } from './job-function.ts';

export interface DeploymentProps {
  readonly jobName: string;
  readonly code: Code;
  readonly environment: Readonly<Record<string, string>>;
  readonly allowNonRestoredState: boolean;
}

export class Deployment extends Construct {
  readonly function: JobFunction;
  readonly #check: CustomResource;
  readonly #restore: CustomResource;

  constructor(scope: Construct, id: string, { jobName, code, environment, allowNonRestoredState }: DeploymentProps) {
    super(scope, id);
    this.function = new JobFunction(this, 'Deploy', {
      code,
      environment,
      handler: 'deployment.handler',
      timeout: Duration.minutes(5),
      memorySize: 1_024,
      description: `Sluice job ${jobName}: checks and ends its deployments`,
    });
    // With other code or options it is another version of the resource: that is what makes CloudFormation call.
    const properties = { code: environment['SLUICE_CODE'], options: environment['SLUICE_OPTIONS'], allowNonRestoredState };
    const resource = (phase: 'check' | 'restore'): CustomResource =>
      new CustomResource(this, phase === 'check' ? 'Check' : 'Restore', {
        serviceToken: this.function.lambda.functionArn,
        resourceType: phase === 'check' ? 'Custom::SluiceDeploymentCheck' : 'Custom::SluiceDeploymentRestore',
        properties: { phase, ...properties },
      });
    this.#check = resource('check');
    this.#restore = resource('restore');
  }

  between(...parts: readonly IConstruct[]): void {
    for (const part of parts) {
      part.node.addDependency(this.#check);
      this.#restore.node.addDependency(part);
    }
  }
}
