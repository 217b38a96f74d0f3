/**
 * The HTTP API of one job, behind API Gateway.
 *
 * JA1. Every route is authorised by IAM: reading, operating and restoring are paths and methods, so that a policy can tell them apart (docs/security.md).
 */
import { Duration } from 'aws-cdk-lib';
import { type HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { JobFunction } from './job-function.ts';

export interface JobApiProps {
  readonly api: HttpApi;
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
      environment,
      handler: 'api.handler',
      timeout: Duration.seconds(29),
      memorySize: 512,
      description: `Sluice job ${jobName}: its HTTP API`,
    });
    const integration = new HttpLambdaIntegration('Integration', this.function.lambda);
    for (const path of [`/jobs/${jobId}`, `/jobs/${jobId}/{rest+}`, `/v1/jobs/${jobId}`, `/v1/jobs/${jobId}/{rest+}`]) {
      api.addRoutes({
        path,
        methods: [HttpMethod.GET, HttpMethod.POST, HttpMethod.PATCH],
        integration,
        authorizer: new HttpIamAuthorizer(),
      });
    }
  }
}
