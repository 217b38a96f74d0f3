/**
 * Counts what Lambda and its event source bill for the invocations of this function: no client of ours makes these calls.
 *
 * IM1. Of an invocation that is under way the time so far is counted, so that whoever takes a bill in the midst of it takes what has been spent.
 * IM2. What brought a batch is counted as one receive and one delete; how often its queue was polled for nothing is AWS's own (docs/cost.md).
 */
import type { SQSEvent } from 'aws-lambda';
import type { Bill } from '../../model/bill.ts';
import type { Clock } from '../../ports/system.ts';

export interface InvocationMeterOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** 0 = not known: the time is not counted then. */
  readonly memoryMb: number;
}

const chunkBytes = 65_536;

export class InvocationMeter {
  readonly #options: InvocationMeterOptions;
  #bill: Record<string, number> = {};
  #countedUpToMs: number | null = null;
  /** From the start of the process to its first invocation AWS bills as well. */
  #initMs: number;

  constructor(options: InvocationMeterOptions) {
    this.#options = options;
    this.#initMs = options.clock.monotonic();
  }

  /** `event` null: not from a queue. */
  async around<T>(event: Pick<SQSEvent, 'Records'> | null, work: () => Promise<T>): Promise<T> {
    this.#add('lambda.Invoke', 1);
    if (event !== null) this.#countBatch(event);
    this.#countedUpToMs = this.#options.clock.monotonic() - this.#initMs;
    this.#initMs = 0;
    try {
      return await work();
    } finally {
      this.#countTime();
      this.#countedUpToMs = null;
    }
  }

  takeBill(): Bill {
    this.#countTime();
    const bill = this.#bill;
    this.#bill = {};
    return bill;
  }

  #countBatch({ Records: records }: Pick<SQSEvent, 'Records'>): void {
    const unit = records[0]?.eventSourceARN.endsWith('.fifo') === true ? 'fifo-64kb' : 'standard-64kb';
    const bytes = records.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
    this.#add('event-source.ReceiveMessage', 1);
    this.#add(`event-source.ReceiveMessage.${unit}`, Math.max(1, Math.ceil(bytes / chunkBytes)));
    this.#add('event-source.DeleteMessageBatch', 1);
    this.#add(`event-source.DeleteMessageBatch.${unit}`, 1);
  }

  #countTime(): void {
    if (this.#countedUpToMs === null) return;
    const nowMs = this.#options.clock.monotonic();
    const spentMs = Math.ceil(nowMs - this.#countedUpToMs);
    this.#countedUpToMs = nowMs;
    if (this.#options.memoryMb > 0) this.#add('lambda.Invoke.mb-ms', spentMs * this.#options.memoryMb);
  }

  #add(name: string, count: number): void {
    this.#bill[name] = (this.#bill[name] ?? 0) + count;
  }
}
