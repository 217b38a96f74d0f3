/**
 * What a stretch of work costs on AWS, as counts: a flat map of numbers, small enough to travel with an acknowledgement.
 *
 * `service.operation` counts calls, `service.operation.unit` what AWS bills of them: `dynamodb.PutItem` and `dynamodb.PutItem.write-unit`. Services are as the
 * meter names them (lib/adapters/aws-sdk/billed-units.ts); what no client of ours calls is beside them: `lambda.Invoke` (its time in MB-milliseconds),
 * `event-source` (what Lambda receives and deletes in our queues) and `states.Transition` (of Step Functions).
 *
 * BL1. Never part of exactly-once: a count may be lost with its process, or come twice with a repetition.
 */
export type Bill = Readonly<Record<string, number>>;

/** undefined where there is nothing on any of them. */
export function addBills(...bills: readonly (Bill | undefined)[]): Bill | undefined {
  const total: Record<string, number> = {};
  for (const bill of bills) for (const [name, count] of Object.entries(bill ?? {})) total[name] = (total[name] ?? 0) + count;
  return Object.keys(total).length === 0 ? undefined : total;
}

const notSent = /^(lambda\.Invoke|event-source\.|states\.)/;

/** `all`: whatever AWS counts one by one. `sent`: only what our own clients sent, as a server sees it. */
export function requestsOf(bill: Bill, which: 'all' | 'sent' = 'all'): number {
  let requests = 0;
  for (const [name, count] of Object.entries(bill)) {
    if (name.split('.').length === 2 && (which === 'all' || !notSent.test(name))) requests += count;
  }
  return requests;
}
