import { describe, expect, test } from 'vitest';
import { channelId, operatorUid } from '../../lib/base/ids.ts';
import { limits } from '../../lib/base/limits.ts';
import type { CoordinatorMessage } from '../../lib/model/coordinator-message.ts';
import { encodeEnvelope, readMessage } from '../../lib/model/envelope-codec.ts';
import type { OutgoingMessage } from '../../lib/ports/message-queue.ts';
import { deduplicationId } from '../../lib/runtime/commit.ts';
import { sendEffects } from '../../lib/runtime/send-effects.ts';
import type { OutgoingEnvelope, SegmentContent } from '../../lib/runtime/segment-content.ts';
import type { Runtime } from '../../lib/runtime/runtime-deps.ts';
import { shardTopology } from '../../lib/runtime/topology.ts';
import { jobA, shardSnapshot } from '../contract/sample-records.ts';
import { compileCount } from './count-job.ts';

const topology = shardTopology(compileCount().plan, jobA, operatorUid('count'), 0);
const none: SegmentContent = { envelopes: [], state: null, sinks: new Map(), stage: [], self: [], coordinator: [], lingering: [] };

/** A queue that takes what `takes` says, and keeps what it took in order. */
function recorder(takes: (message: OutgoingMessage, call: number) => boolean = () => true): {
  runtime: Runtime;
  calls: [string, readonly OutgoingMessage[]][];
  taken: Map<string, string[]>;
} {
  const calls: [string, readonly OutgoingMessage[]][] = [];
  const taken = new Map<string, string[]>();
  const sendBatch = async (queue: string, messages: readonly OutgoingMessage[]): Promise<boolean[]> => {
    calls.push([queue, messages]);
    return messages.map((message) => {
      const takenNow = takes(message, calls.length);
      if (takenNow) taken.set(queue, [...(taken.get(queue) ?? []), message.deduplicationId]);
      return takenNow;
    });
  };
  const runtime = {
    program: { job: jobA },
    deps: { messages: { sendBatch }, delay: { schedule: async () => undefined }, metrics: { count: () => undefined } },
  };
  return { runtime: runtime as unknown as Runtime, calls, taken };
}

function envelope(number: number, bytes: number, { queue = 'q', group = '0.1' } = {}): OutgoingEnvelope {
  const header = {
    job: jobA,
    attempt: 1,
    channel: channelId(0, 0, 0),
    sequence: number,
    epoch: 1,
    segment: 's',
    index: number,
    records: 1,
    events: [],
  };
  return {
    queue,
    group,
    deduplicationId: `d${number}`,
    body: encodeEnvelope(header, { payload: new Uint8Array(bytes), compressed: false }),
  };
}

describe('a batch call', () => {
  test('has ten messages and one message of text at most, base64 counted, in order', async () => {
    const { runtime, calls, taken } = recorder();
    const sizes = [10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 400_000, 300_000, 300_000, 650_000, 10];
    await sendEffects(runtime, topology, 1, { ...none, envelopes: sizes.map((bytes, i) => envelope(i, bytes, { group: `${i}.1` })) });
    expect(taken.get('q')).toEqual(sizes.map((_, i) => `d${i}`));
    expect(calls.length).toBeLessThan(sizes.length / 2);
    for (const [, messages] of calls) {
      expect(messages.length).toBeLessThanOrEqual(10);
      expect(messages.reduce((sum, { body }) => sum + Math.ceil(body.length / 3) * 4, 0)).toBeLessThanOrEqual(limits.messageTextBytesMax);
    }
  });

  test('has never two messages of one group: refused and taken would change places', async () => {
    const { runtime, calls, taken } = recorder((message, call) => call > 2 || message.deduplicationId !== 'd2');
    const envelopes = Array.from({ length: 9 }, (_, i) => envelope(i, 10, { group: `${i % 2}.1` }));
    await sendEffects(runtime, topology, 1, { ...none, envelopes });
    for (const [, messages] of calls) expect(new Set(messages.map(({ group }) => group)).size).toBe(messages.length);
    const own = (parity: number): string[] => taken.get('q')!.filter((id) => Number(id.slice(1)) % 2 === parity);
    expect(own(0), 'in the order of sending').toEqual(['d0', 'd2', 'd4', 'd6', 'd8']);
    expect(own(1)).toEqual(['d1', 'd3', 'd5', 'd7']);
  });

  test('that takes only some is repeated with the others', async () => {
    const { runtime, calls, taken } = recorder((message, call) => call > 1 || message.deduplicationId !== 'd2');
    await sendEffects(runtime, topology, 1, { ...none, envelopes: [0, 1, 2, 3].map((i) => envelope(i, 10, { group: `${i}.1` })) });
    expect(calls.map(([, messages]) => messages.map(({ deduplicationId: id }) => id))).toEqual([['d0', 'd1', 'd2', 'd3'], ['d2']]);
    expect(new Set(taken.get('q'))).toEqual(new Set(['d0', 'd1', 'd2', 'd3']));
  });

  test('that fails again and again leaves the batch in the queue', async () => {
    const { runtime, calls } = recorder(() => false);
    await expect(sendEffects(runtime, topology, 1, { ...none, envelopes: [envelope(0, 10)] })).rejects.toThrow('refuses messages');
    expect(calls).toHaveLength(5);
  });
});

describe('what is larger than a message', () => {
  test('travels as its header', async () => {
    const { runtime, calls } = recorder();
    const bodies = [limits.envelopeBytesMax - 1_000, limits.envelopeBytesMax].map((bytes, i) => envelope(i, bytes));
    await sendEffects(runtime, topology, 1, { ...none, envelopes: bodies });
    const sent = calls.flatMap(([, messages]) => messages.map(({ body }) => readMessage(body)));
    expect(sent.map((message) => message.kind === 'data' && message.claimed)).toEqual([false, true]);
  });
});

describe('effects', () => {
  test('come in order: parts, envelopes, messages to itself, the coordinator last', async () => {
    const order: string[] = [];
    const { runtime } = recorder();
    const stage = async (): Promise<void> => {
      order.push('stage');
    };
    const deps = {
      ...runtime.deps,
      messages: {
        async sendBatch(queue: string, messages: readonly OutgoingMessage[]): Promise<boolean[]> {
          order.push(queue.endsWith('#coordinator') ? 'coordinator' : queue === topology.queue ? 'self' : 'envelope');
          return messages.map(() => true);
        },
      },
      delay: {
        async schedule(): Promise<void> {
          order.push('delay');
        },
      },
      connectors: { sinks: { collect: { stage } } },
    };
    const counts = shardTopology(compileCount().plan, jobA, operatorUid('counts'), 0);
    const content: SegmentContent = {
      ...none,
      envelopes: [envelope(0, 10)],
      stage: [{ operator: operatorUid('counts'), checkpoint: 1, number: 0, segments: { recent: [], chained: null } }],
      self: [
        { kind: 'continue', number: 1, dueAtMs: 0 },
        { kind: 'wake', number: 2, dueAtMs: 9 },
      ],
      coordinator: [{ kind: 'ended', job: jobA, attempt: 1, uid: operatorUid('counts'), shard: 0 }],
    };
    await sendEffects({ ...runtime, deps } as unknown as Runtime, { ...counts, queue: topology.queue }, 1, content);
    expect(order).toEqual(['stage', 'envelope', 'self', 'delay', 'coordinator']);
  });
});

describe('deduplication ids', () => {
  const tell = async (messages: readonly CoordinatorMessage[], attempt = 1): Promise<string[]> => {
    const { runtime, taken } = recorder();
    await sendEffects(runtime, topology, attempt, { ...none, coordinator: messages });
    return [...taken.values()].flat();
  };
  const from = { job: jobA, attempt: 1, uid: operatorUid('count'), shard: 0 };

  test('of what the coordinator is told name it by kind and number, and not by a hash of it', async () => {
    const messages: CoordinatorMessage[] = [
      { ...from, kind: 'ended' },
      ...Array.from({ length: 300 }, (_, i): CoordinatorMessage => ({ ...from, kind: 'dirty', epoch: i })),
      ...Array.from({ length: 300 }, (_, i): CoordinatorMessage => ({
        ...from,
        kind: 'acknowledgement',
        snapshot: shardSnapshot({ checkpoint: i }),
      })),
      ...Array.from({ length: 300 }, (_, i): CoordinatorMessage => ({
        ...from,
        kind: 'declined',
        checkpoint: i,
        reason: 'CHECKPOINT_DECLINED_SUBSUMED',
      })),
    ];
    const ids = await tell(messages);
    expect(new Set(ids).size).toBe(messages.length);
    expect(await tell(messages), 'a resend is recognised').toEqual(ids);
    expect(new Set([...ids, ...(await tell(messages, 2))]).size).toBe(2 * messages.length);
  });

  test('are short, whatever the names', () => {
    const id = deduplicationId(jobA, 2 ** 31, `${'x'.repeat(500)}`, 2 ** 52);
    expect(id.length).toBeLessThanOrEqual(limits.messageIdCharactersMax);
    expect(id).toMatch(/^[0-9a-f-]+$/);
  });
});
