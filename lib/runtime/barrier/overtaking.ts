/**
 * When a shard takes its snapshot though not every channel has brought the barrier: decisions only. Pure.
 *
 * U1. Channels without a key (forward, broadcast) stay aligned: before all of them have brought the number nothing is overtaken. What was in flight there
 *     could be dealt to nobody after a change of parallelism.
 * U2. Before anything is processed that was sent behind a sender's own snapshot, the shard has taken its own: such an envelope stands behind the barrier,
 *     and the barrier either overtakes or holds its channel. An order only makes it earlier.
 * U3. Numbers are taken upwards. One that is due makes the older ones due; it waits for an older one that is pending and overtakes nothing.
 * U4. Due is judged by the processing time, which only an invocation with a fresh message advances.
 */
import { mutated } from '../../base/mutated.ts';
import type { ChannelId, CheckpointId } from '../../base/ids.ts';
import type { PendingCheckpoint } from '../../model/job-record.ts';
import type { Alignment } from '../../model/shard-record.ts';

export interface OvertakingFacts {
  readonly alignment: Alignment;
  /** Channels that stay aligned. */
  readonly keyless: readonly ChannelId[];
  readonly nowMs: number;
}

/** Whether what is in flight may be overtaken now. */
export function mayOvertake({ alignment, keyless, nowMs }: OvertakingFacts): boolean {
  const { overtakeAtMs, barriers } = alignment;
  return (
    overtakeAtMs !== undefined && overtakeAtMs <= nowMs && (mutated('keyless-overtaken') || keyless.every((channel) => channel in barriers))
  );
}

export type OrderVerdict =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'snapshot'; readonly alignment: Alignment }
  /** Nobody will complete what the shard is aligning for: what is held for it is released. */
  | { readonly kind: 'give-up'; readonly checkpoint: CheckpointId };

export interface OrderFacts {
  readonly pending: readonly PendingCheckpoint[];
  readonly alignment: Alignment | null;
  readonly settled: CheckpointId;
  readonly keyless: readonly ChannelId[];
  readonly nowMs: number;
}

const nothing: OrderVerdict = { kind: 'nothing' };

interface Order {
  readonly id: CheckpointId;
  readonly overtakeAtMs: number;
}

/** What to do next about the orders in the job record; asked again after each. */
export function nextOrder({ pending, alignment, settled, keyless, nowMs }: OrderFacts): OrderVerdict {
  const orders = ordersOf(pending, alignment).filter(({ id }) => id > settled && id >= (alignment?.checkpoint ?? 0));
  const newestDue = orders.findLast(({ overtakeAtMs }) => overtakeAtMs <= nowMs);
  const [order] = orders;
  if (newestDue === undefined || order === undefined) return nothing;
  const waitsFor = pending.some(({ id, overtakeAtMs }) => overtakeAtMs === undefined && id > settled && id < order.id);
  if (waitsFor) return nothing;
  if (alignment !== null && alignment.checkpoint < order.id) return { kind: 'give-up', checkpoint: alignment.checkpoint };
  const begun: Alignment = alignment ?? { checkpoint: order.id, barriers: {}, startedAtMs: nowMs };
  // The newer one that is due takes this one with it.
  const due: Alignment = { ...begun, overtakeAtMs: Math.min(order.overtakeAtMs, nowMs) };
  return mayOvertake({ alignment: due, keyless, nowMs }) ? { kind: 'snapshot', alignment: due } : nothing;
}

/** Upwards. A barrier may be ahead of the job record as the function knows it. */
function ordersOf(pending: readonly PendingCheckpoint[], alignment: Alignment | null): Order[] {
  const orders = pending.flatMap(({ id, overtakeAtMs }) => (overtakeAtMs === undefined ? [] : [{ id, overtakeAtMs }]));
  if (alignment?.overtakeAtMs !== undefined && !orders.some(({ id }) => id === alignment.checkpoint)) {
    orders.push({ id: alignment.checkpoint, overtakeAtMs: alignment.overtakeAtMs });
  }
  return orders.sort((a, b) => a.id - b.id);
}
