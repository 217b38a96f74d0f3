import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { clientSettings, type AwsClientOptions } from './client-settings.ts';

export function createDynamoDbClient(options: AwsClientOptions = {}): DynamoDBClient {
  const client = new DynamoDBClient(clientSettings(options));
  options.meter?.attach(client);
  return client;
}
