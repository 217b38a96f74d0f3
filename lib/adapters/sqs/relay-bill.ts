/**
 * What the relay will cost, told by whoever hands it a message: the relay takes part in no checkpoint and has nobody to tell its own counts.
 * Counted as if each message came to it alone, and once: where several come together it costs less, where one goes round the delay queue again it costs more.
 */
import { addBills, type Bill } from '../../model/bill.ts';

const memoryMb = 256;
/** Assumed: two calls of SQS, of which it waits for one. */
const invocationMs = 20;

const ofOneMessage: Bill = {
  'event-source.ReceiveMessage': 1,
  'event-source.ReceiveMessage.standard-64kb': 1,
  'lambda.Invoke': 1,
  'lambda.Invoke.mb-ms': memoryMb * invocationMs,
  'sqs.SendMessageBatch': 1,
  'sqs.SendMessageBatch.fifo-64kb': 1,
  'event-source.DeleteMessageBatch': 1,
  'event-source.DeleteMessageBatch.standard-64kb': 1,
};

/** Only into the delay queue are messages sent one by one. */
export function withRelay(bill: Bill): Bill {
  const messages = (bill['sqs.SendMessage'] ?? 0) + (bill['scheduler.CreateSchedule'] ?? 0);
  if (messages === 0) return bill;
  const relayed = Object.fromEntries(Object.entries(ofOneMessage).map(([name, count]) => [name, count * messages]));
  return addBills(bill, relayed)!;
}
