/** A bill's counts in dollars. */
import type { Bill } from '../model/bill.ts';
import type { PriceTable } from './prices.ts';

export interface Dollars {
  readonly total: number;
  readonly byService: Readonly<Record<string, number>>;
}

/** Units that cost nothing: the call they belong to is billed by something else, or not at all. */
const free: readonly string[] = ['call', 'free'];
const mbMsPerGbSecond = 1_024 * 1_000;

export function dollarsOf(bill: Bill, prices: PriceTable): Dollars {
  const byService: Record<string, number> = {};
  let total = 0;
  for (const [name, count] of Object.entries(bill)) {
    const dollars = priceOf(name, prices) * count;
    if (dollars === 0) continue;
    const service = serviceOf(name);
    byService[service] = (byService[service] ?? 0) + dollars;
    total += dollars;
  }
  return { total, byService };
}

/** Of one of what the name counts. A name that a later version counts, and this one does not know, costs nothing here. */
function priceOf(name: string, { perMillion, lambdaGbSecond }: PriceTable): number {
  const [service, operation, unit] = name.split('.');
  if (unit === 'mb-ms') return lambdaGbSecond / mbMsPerGbSecond;
  if (service === 'states' && unit === undefined) return perMillion.transition / 1e6;
  if (service === 'lambda' && operation === 'Invoke' && unit === undefined) return perMillion.invocation / 1e6;
  if (service === 'scheduler' && operation === 'CreateSchedule' && unit === undefined) return perMillion.schedule / 1e6;
  if (unit === undefined || free.includes(unit)) return 0;
  return (perMillion[unit as keyof PriceTable['perMillion']] ?? 0) / 1e6;
}

/** Under which it stands on AWS's invoice. */
function serviceOf(name: string): string {
  const [service] = name.split('.');
  if (service === 'event-source') return 'sqs';
  return service === 'states' ? 'step-functions' : service!;
}
