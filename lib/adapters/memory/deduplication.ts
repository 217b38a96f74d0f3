/**
 * What a FIFO queue remembers of sent messages: per group, for five minutes from the send, whether or not the message has been deleted since.
 * Times are the wall clock's, because the memory outlives the process where the queue does.
 */
import { Deque } from './deque.ts';
import type { RememberedMessage } from './mutation.ts';

const deduplicationWindowMs = 300_000;

export class Deduplication {
  readonly #groups = new Map<string, Map<string, number>>();
  /** In the order of sending, so that forgetting costs constant time per message. */
  readonly #order = new Deque<RememberedMessage>();

  remembers(group: string, deduplicationId: string, nowMs: number): boolean {
    const sentAtMs = this.#groups.get(group)?.get(deduplicationId);
    return sentAtMs !== undefined && nowMs < sentAtMs + deduplicationWindowMs;
  }

  remember(group: string, deduplicationId: string, sentAtMs: number): void {
    let ids = this.#groups.get(group);
    if (ids === undefined) this.#groups.set(group, (ids = new Map<string, number>()));
    ids.set(deduplicationId, sentAtMs);
    this.#order.push({ group, deduplicationId, sentAtMs });
  }

  forgetExpired(nowMs: number): void {
    for (
      let oldest = this.#order.peek();
      oldest !== undefined && nowMs >= oldest.sentAtMs + deduplicationWindowMs;
      oldest = this.#order.peek()
    ) {
      this.#order.shift();
      const ids = this.#groups.get(oldest.group);
      // A message of the same id may have been sent again since.
      if (ids?.get(oldest.deduplicationId) !== oldest.sentAtMs) continue;
      ids.delete(oldest.deduplicationId);
      if (ids.size === 0) this.#groups.delete(oldest.group);
    }
  }

  remembered(): readonly RememberedMessage[] {
    const out: RememberedMessage[] = [];
    for (const [group, ids] of this.#groups) for (const [deduplicationId, sentAtMs] of ids) out.push({ group, deduplicationId, sentAtMs });
    return out.sort((a, b) => a.sentAtMs - b.sentAtMs);
  }
}
