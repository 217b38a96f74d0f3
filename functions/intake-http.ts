/** Lambda: takes in batches by HTTP. Who may send is decided by API Gateway (infra/intake.ts). */
import { requestOf, responseOf } from '../lib/adapters/lambda/intake-events.ts';
import { takeRequest } from '../lib/intake/take-request.ts';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { createAwsIntake } from './aws-intake.ts';

const { takeIn, stores } = createAwsIntake();
const { random } = stores;

export const handler = async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> =>
  responseOf(await takeRequest(takeIn, requestOf(event), random));
