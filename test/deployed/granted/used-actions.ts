/** What functions did, as IAM names it: by what the server saw of them. */
import type { RequestCount, ServerCounts } from '../../../localstack/emulator.ts';

/** Where it is not the operation itself. */
const byOperation: Readonly<Record<string, readonly string[]>> = {
  's3.HeadObject': ['GetObject'],
  's3.ListObjectsV2': ['ListBucket'],
  's3.DeleteObjects': ['DeleteObject'],
  's3.CopyObject': ['GetObject', 'PutObject'],
  's3.CreateMultipartUpload': ['PutObject'],
  's3.UploadPart': ['PutObject'],
  's3.CompleteMultipartUpload': ['PutObject'],
  'sqs.SendMessageBatch': ['SendMessage'],
  'sqs.DeleteMessageBatch': ['DeleteMessage'],
  'sqs.ChangeMessageVisibilityBatch': ['ChangeMessageVisibility'],
};
const prefixes: Readonly<Record<string, string>> = { 'step-functions': 'states' };

function actionsOf({ service, operation }: Pick<RequestCount, 'service' | 'operation'>): readonly string[] {
  const names = byOperation[`${service}.${operation}`] ?? [operation];
  const actions = names.map((name) => `${prefixes[service] ?? service}:${name}`);
  // Who makes a schedule hands it a role.
  return service === 'scheduler' && operation === 'CreateSchedule' ? [...actions, 'iam:PassRole'] : actions;
}

/** Names on AWS begin with the stack's name and as much of the logical id as there is room for, and end with a digest. */
function isOf(functionName: string, logicalId: string): boolean {
  const [, id] = /^[^-]+-(.+?)-?[0-9A-F]{13}$/.exec(functionName) ?? [];
  return id !== undefined && logicalId.startsWith(id);
}

export function usedActions({ requests }: ServerCounts, functions: readonly string[]): readonly string[] {
  const own = requests.filter(({ caller }) => functions.some((logicalId) => isOf(caller, logicalId)));
  return [...new Set(own.flatMap(actionsOf))].sort();
}

export function wasInvoked({ invocations }: ServerCounts, logicalId: RegExp): boolean {
  return invocations.some(({ function: name, count }) => logicalId.test(name) && count > 0);
}
