import { SFNClient } from '@aws-sdk/client-sfn';
import { clientSettings, type AwsClientOptions } from './client-settings.ts';

export function createStepFunctionsClient(options: AwsClientOptions = {}): SFNClient {
  const client = new SFNClient(clientSettings(options));
  options.meter?.attach(client);
  return client;
}
