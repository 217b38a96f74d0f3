/**
 * What a job costs, from the bills of its checkpoints. Pure.
 *
 * CR1. A checkpoint's bill is of the time since the one before it. The events of a stretch are what the sources have read from its beginning to its end, so
 *      the work of failed checkpoints and of what was read twice after a restore is in the dollars, and not in the events.
 */
import { addBills, requestsOf, type Bill } from '../model/bill.ts';
import { dollarsOf, type Dollars } from './dollars.ts';
import type { PriceTable } from './prices.ts';

export interface BilledCheckpoint {
  readonly id: number;
  readonly isCompleted: boolean;
  readonly endedAtMs: number;
  /** All that its sources have read up to it; null = not known. */
  readonly records: number | null;
  readonly bill: Bill | null;
}

export interface CostReport {
  readonly checkpoints: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Between the first and the last of them; null = not known. */
  readonly events: number | null;
  readonly bill: Bill;
  /** Everything that AWS counts, and what our own clients sent. */
  readonly requests: number;
  readonly sentRequests: number;
  readonly dollars: Dollars;
  readonly dollarsPerCheckpoint: number;
  readonly dollarsPerMillionEvents: number | null;
  readonly requestsPerMillionEvents: number | null;
}

/** `isFromBeginning`: the first one's bill is of all that the job has done before it. undefined: no checkpoint carries a bill. */
export function costReport(checkpoints: readonly BilledCheckpoint[], isFromBeginning: boolean, prices: PriceTable): CostReport | undefined {
  const inOrder = [...checkpoints].sort((a, b) => a.id - b.id);
  const first = inOrder.findIndex(({ isCompleted, records }) => isCompleted && records !== null);
  // What its bill covers began somewhere before: it is only where the counting starts.
  const isStart = !isFromBeginning && first >= 0 && inOrder.length > first + 1;
  const counted = isStart ? inOrder.slice(first + 1) : inOrder;
  const bill = addBills(...counted.map((checkpoint) => checkpoint.bill ?? undefined));
  if (bill === undefined) return undefined;
  const completed = counted.filter(({ isCompleted }) => isCompleted);
  const before = isStart ? inOrder[first]!.records! : isFromBeginning ? 0 : null;
  const after = completed.at(-1)?.records ?? null;
  const events = before === null || after === null || after < before ? null : after - before;
  const dollars = dollarsOf(bill, prices);
  const perMillion = (count: number): number | null => (events === null || events === 0 ? null : (count / events) * 1e6);
  return {
    checkpoints: completed.length,
    fromMs: (isStart ? inOrder[first]! : counted[0]!).endedAtMs,
    toMs: counted.at(-1)!.endedAtMs,
    events,
    bill,
    requests: requestsOf(bill),
    sentRequests: requestsOf(bill, 'sent'),
    dollars,
    dollarsPerCheckpoint: dollars.total / Math.max(1, completed.length),
    dollarsPerMillionEvents: perMillion(dollars.total),
    requestsPerMillionEvents: perMillion(requestsOf(bill)),
  };
}
