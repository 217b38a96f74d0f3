import { LambdaClient } from '@aws-sdk/client-lambda';
import { clientSettings, type AwsClientOptions } from './client-settings.ts';

export function createLambdaClient(options: AwsClientOptions = {}): LambdaClient {
  const client = new LambdaClient(clientSettings(options));
  options.meter?.attach(client);
  return client;
}
