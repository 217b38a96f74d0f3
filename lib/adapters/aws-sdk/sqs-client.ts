import { SQSClient } from '@aws-sdk/client-sqs';
import { clientSettings, type AwsClientOptions } from './client-settings.ts';

export function createSqsClient(options: AwsClientOptions = {}): SQSClient {
  // Queue URLs of emulators name a host of their own: the endpoint counts, the URL is only the queue's name.
  const client = new SQSClient({ ...clientSettings(options), useQueueUrlAsEndpoint: false });
  options.meter?.attach(client);
  return client;
}
