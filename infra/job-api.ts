/**
 * The function that makes the changes of one job that are asked for over HTTP: it has the job's code, which a restore at another parallelism needs.
 * Questions go to the control plane's (overview.ts).
 */
import { Duration } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { ControlApi } from './control-api.ts';
import { JobFunction } from './job-function.ts';

export interface JobApiProps {
  readonly api: ControlApi;
  readonly jobId: string;
  readonly jobName: string;
  readonly code: Code;
  readonly environment: Readonly<Record<string, string>>;
}

export class JobApi extends Construct {
  readonly function: JobFunction;

  constructor(scope: Construct, id: string, { api, jobId, jobName, code, environment }: JobApiProps) {
    super(scope, id);
    this.function = new JobFunction(this, 'Api', {
      code,
      environment: { ...environment, ...api.environment },
      handler: 'api.handler',
      timeout: Duration.seconds(29),
      memorySize: 512,
      description: `Sluice job ${jobName}: its HTTP API`,
    });
    api.addChanges(this.function, jobId);
  }
}
