import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { clientSettings, type AwsClientOptions } from './client-settings.ts';

export function createSchedulerClient(options: AwsClientOptions = {}): SchedulerClient {
  const client = new SchedulerClient(clientSettings(options));
  options.meter?.attach(client);
  return client;
}
