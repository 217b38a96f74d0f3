/** What the job's checkpoints carry of what its functions have sent, and what the server saw of them. */
import { addBills, requestsOf, type Bill } from '../../../lib/model/bill.ts';
import { requestCounts } from '../../../localstack/observe.ts';
import type { Deployed } from '../deployed.ts';
import { jobApi } from './flights-world.ts';

export interface BilledAndSeen {
  readonly billed: number;
  readonly seen: number;
  /** By service and operation, for whoever looks why they differ. */
  readonly byOperation: Readonly<Record<string, readonly [billed: number, seen: number]>>;
}

const metered = ['dynamodb', 'sqs', 's3', 'step-functions', 'scheduler', 'lambda'];
/** What works for checkpoints. What people ask for, and deployments, are in no checkpoint's bill. */
const working = /Operator|Coordinator|Relay/;

export async function billedAndSeen(deployed: Deployed): Promise<BilledAndSeen> {
  const { body } = await jobApi(deployed).call('GET', '/cost');
  const billsOf = (of: string) => (body[of] as readonly { readonly bill: Bill | null }[]).map(({ bill }) => bill ?? undefined);
  const bills = [...billsOf('checkpoints'), ...billsOf('operations')];
  const billed = addBills(...bills) ?? {};
  const seen: Record<string, number> = {};
  for (const { caller, service, operation, count } of (await requestCounts(deployed.emulator)).requests) {
    if (!metered.includes(service) || !working.test(caller)) continue;
    seen[`${service}.${operation}`] = (seen[`${service}.${operation}`] ?? 0) + count;
  }
  const names = [...new Set([...Object.keys(billed), ...Object.keys(seen)])].filter((name) => name.split('.').length === 2).sort();
  return {
    billed: requestsOf(billed, 'sent'),
    seen: Object.values(seen).reduce((sum, count) => sum + count, 0),
    byOperation: Object.fromEntries(names.map((name) => [name, [billed[name] ?? 0, seen[name] ?? 0] as const])),
  };
}
