/** What the job's checkpoints carry of what its functions have sent, and what the server saw of them. */
import { requestCounts } from '../../../localstack/observe.ts';
import { addBills, requestsOf, type Bill } from '../../../lib/model/bill.ts';
import type { Deployed } from '../deployed.ts';
import { jobApi } from './flights-world.ts';

export interface Requests {
  readonly carried: number;
  readonly seen: number;
  /** By service and operation, for whoever looks why they differ. */
  readonly all: Readonly<Record<string, readonly [carried: number, seen: number]>>;
}

const metered = ['dynamodb', 'sqs', 's3', 'step-functions', 'scheduler'];
/** Made by people: in no checkpoint's bill. */
const notOfCheckpoints = /Api|Check|Restore|Deployment/;

export async function requestsOfFunctions(deployed: Deployed): Promise<Requests> {
  const { body } = await jobApi(deployed).call('GET', '/cost');
  const bills = (body['checkpoints'] as readonly { readonly bill: Bill | null }[]).map(({ bill }) => bill ?? undefined);
  const carried = addBills(...bills) ?? {};
  const seen: Record<string, number> = {};
  const { requests } = await requestCounts(deployed.emulator);
  for (const { caller, service, operation, count } of requests) {
    if (!metered.includes(service) || !/lambda|sluice|Operator|Messages|Tasks|Relay/i.test(caller) || notOfCheckpoints.test(caller))
      continue;
    seen[`${service}.${operation}`] = (seen[`${service}.${operation}`] ?? 0) + count;
  }
  const names = [...new Set([...Object.keys(carried), ...Object.keys(seen)])].filter((name) => name.split('.').length === 2);
  return {
    carried: requestsOf(carried, 'sent'),
    seen: Object.values(seen).reduce((sum, count) => sum + count, 0),
    all: Object.fromEntries(names.sort().map((name) => [name, [carried[name] ?? 0, seen[name] ?? 0] as const])),
  };
}
