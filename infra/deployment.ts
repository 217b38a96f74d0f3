/**
 * The first and the last act of a deployment (lib/coordinator/deployment.ts).
 *
 * DP1. Every function of the job depends on the check: where the new plan cannot take the job's state, CloudFormation has changed none of them. So the check
 *      itself needs no more than the table and the bucket.
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

const functionTimeout = Duration.minutes(5);
/** A function that never answers, because its process does not even start, is called three times by Lambda; CloudFormation would wait an hour, and again to roll back. */
const answerTimeout = Duration.minutes(20);

export class Deployment extends Construct {
  readonly check: JobFunction;
  readonly restore: JobFunction;
  readonly #first: CustomResource;
  readonly #last: CustomResource;

  constructor(scope: Construct, id: string, props: DeploymentProps) {
    super(scope, id);
    this.check = this.#makeFunction('Check', 'deployment.check', props);
    this.restore = this.#makeFunction('Restore', 'deployment.restore', props);
    this.#first = this.#makeResource('First', this.check, props);
    this.#last = this.#makeResource('Last', this.restore, props);
  }

  between(functions: readonly JobFunction[], everything: readonly IConstruct[]): void {
    for (const { lambda } of functions) lambda.node.addDependency(this.#first);
    this.#last.node.addDependency(...everything);
  }

  #makeFunction(id: string, handler: string, { jobName, code, environment }: DeploymentProps): JobFunction {
    const description = `Sluice job ${jobName}: ${id === 'Check' ? 'checks' : 'ends'} its deployments`;
    return new JobFunction(this, id, { code, environment, handler, timeout: functionTimeout, memorySize: 1_024, description });
  }

  /** With other code or options it is another version of the resource: that is what makes CloudFormation call. */
  #makeResource(id: string, { lambda }: JobFunction, { environment, allowNonRestoredState }: DeploymentProps): CustomResource {
    const { SLUICE_CODE: code, SLUICE_OPTIONS: options } = environment;
    return new CustomResource(this, id, {
      serviceToken: lambda.functionArn,
      resourceType: `Custom::SluiceDeployment${id}`,
      serviceTimeout: answerTimeout,
      properties: { code, options, allowNonRestoredState },
    });
  }
}
