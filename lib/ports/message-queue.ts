/**
 * FIFO queues, as SQS FIFO in high-throughput mode gives them. One queue per vertex, one message group per shard and attempt.
 *
 * Guarantees needed of every adapter:
 * - Order per group. While a message of a group is in flight, no later message of it is delivered.
 * - At least once: a message that is not deleted becomes visible again after the visibility timeout; a delete with a stale receipt deletes nothing
 *   that another receiver holds.
 * - Deduplication per group for five minutes, outliving the delete: a second send is accepted and not delivered. A saving, never the guarantee.
 * - A batch call fails per entry; entries of one group are taken in order, and after a failed entry later ones of its group may have been taken.
 */
export interface OutgoingMessage {
  readonly group: string;
  /** At most 128 characters. */
  readonly deduplicationId: string;
  readonly body: Uint8Array;
}

export interface ReceivedMessage {
  readonly messageId: string;
  readonly receipt: string;
  readonly group: string;
  readonly body: Uint8Array;
  /** 1 at the first delivery; approximate, so never the only sign. */
  readonly receiveCount: number;
  readonly sentAtMs: number;
}

/** What operators need. */
export interface MessageSender {
  /** At most ten messages. One result per entry, in order: true = taken. */
  sendBatch(queue: string, messages: readonly OutgoingMessage[]): Promise<readonly boolean[]>;
  /** Messages waiting or in flight, approximate. */
  depth(queue: string): Promise<number>;
}

/** What a poller needs: Lambda's event source on AWS, the local runner here. */
export interface MessageReceiver {
  /** Up to ten messages, several groups mixed; waits up to `waitMs` for the first. */
  receive(
    queue: string,
    options: { readonly messagesMax: number; readonly waitMs: number; readonly visibilityMs: number },
  ): Promise<readonly ReceivedMessage[]>;
  deleteBatch(queue: string, receipts: readonly string[]): Promise<void>;
  /** 0 = visible at once. A stale receipt changes nothing. */
  changeVisibility(queue: string, receipts: readonly string[], visibilityMs: number): Promise<void>;
}
