import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerBatch, type BatchFunction, type StrangeMessage } from '../../../lib/adapters/lambda/answer-batch.ts';
import { SluiceError } from '../../../lib/base/errors.ts';
import { textOf } from '../../contract/fixture.ts';
import { sqsRecord } from './fake-sqs.ts';

interface Sent {
  readonly id: string;
  readonly group?: string;
  readonly text?: string;
  readonly receives?: number;
}

/** Runs a batch, and says what came of it. */
async function answer(messages: readonly Sent[], work: Partial<BatchFunction> = {}) {
  const aside: StrangeMessage[] = [];
  const visibility: [string[], number][] = [];
  const told: string[] = [];
  const { batchItemFailures } = await answerBatch(
    { Records: messages.map(recordOf) },
    {
      handle: async () => [],
      recognise: () => undefined,
      setAside: async (message) => void aside.push(message),
      changeVisibility: async (receipts, visibilityMs) => void visibility.push([[...receipts], visibilityMs]),
      logger: { log: (level, message) => void told.push(`${level}: ${message}`) },
      ...work,
    },
  );
  return { failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), aside, visibility, told };
}

function recordOf({ id, group, text = Buffer.from(id).toString('base64'), receives }: Sent) {
  return sqsRecord({
    messageId: id,
    body: text,
    ...(group === undefined ? {} : { group }),
    ...(receives === undefined ? {} : { receives }),
  });
}

const groups: readonly Sent[] = [
  { id: 'a1', group: 'a' },
  { id: 'b1', group: 'b' },
  { id: 'a2', group: 'a' },
  { id: 'a3', group: 'a' },
  { id: 'b2', group: 'b' },
];

describe('the answer to a batch', () => {
  test('names nothing where nothing failed, and costs no request', async () => {
    const seen: unknown[] = [];
    const handle: BatchFunction['handle'] = async (messages) => {
      seen.push(...messages.map(({ body, group, receiveCount, receipt }) => [textOf(body), group, receiveCount, receipt]));
      return [];
    };
    const { failed, visibility } = await answer([{ id: 'a1', group: 'a', receives: 3 }], { handle });
    expect([failed, visibility, seen]).toEqual([[], [], [['a1', 'a', 3, 'receipt-a1']]]);
  });

  test('names of a group everything from the first failed message on, and nothing of other groups', async () => {
    const { failed } = await answer(groups, { handle: async () => ['a2'] });
    expect(failed).toEqual(['a2', 'a3']);
  });

  test('names of a queue without groups what failed and nothing else', async () => {
    const { failed } = await answer([{ id: '1' }, { id: '2' }, { id: '3' }], { handle: async () => ['2'] });
    expect(failed).toEqual(['2']);
  });

  test('names everything where the function throws, or names what is not of its batch', async () => {
    const throwing = await answer(groups, { handle: async () => Promise.reject(new Error('out of luck')) });
    expect(throwing.failed).toEqual(['a1', 'b1', 'a2', 'a3', 'b2']);
    expect(throwing.told).toEqual(['error: a function failed outside any message: its whole batch comes again']);
    expect((await answer(groups, { handle: async () => ['a1', 'c1'] })).failed.length).toBe(5);
  });

  test('names only messages of its batch, once each, and a group’s tail whole, whatever the function says', async () => {
    const ids = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(ids, fc.array(fc.nat(12)), async (letters, indices) => {
        const messages = letters.map((group, i) => ({ id: `m${i}`, group }));
        const named = indices.map((i) => `m${i}`);
        const { failed } = await answer(messages, { handle: async () => named });
        expect(new Set(failed).size).toBe(failed.length);
        const known = named.every((id) => messages.some((message) => message.id === id));
        for (const [i, { id, group }] of messages.entries()) {
          const broken = messages.slice(0, i + 1).some((earlier) => earlier.group === group && named.includes(earlier.id));
          expect(failed.includes(id)).toBe(!known || broken);
        }
        expect(failed.every((id) => messages.some((message) => message.id === id))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('what failed', () => {
  test('comes again at once, then after pauses that double to a limit', async () => {
    const pauses: number[] = [];
    for (const receives of [1, 2, 3, 4, 6, 7, 100]) {
      const { visibility } = await answer([{ id: 'a1', group: 'a', receives }], { handle: async () => ['a1'] });
      pauses.push(visibility[0]![1]);
    }
    expect(pauses).toEqual([0, 1_000, 2_000, 4_000, 16_000, 30_000, 30_000]);
  });

  test('keeps together with its group, as its first message says', async () => {
    const messages = groups.map((message) => ({ ...message, receives: message.id === 'a1' ? 3 : 1 }));
    const { visibility } = await answer(messages, { handle: async () => ['a1', 'b2'] });
    expect(visibility).toEqual([[['receipt-a1', 'receipt-a2', 'receipt-a3'], 2_000], [['receipt-b2'], 0]]); // prettier-ignore
  });

  test('rests for as long as the function asks, with the rest of its group, and only if it failed', async () => {
    const handle: BatchFunction['handle'] = async (_, postpone) => {
      postpone(['a2', 'b1'], 60_000);
      postpone(['a3'], 90_000);
      return ['a2', 'a3'];
    };
    const { visibility } = await answer(groups, { handle });
    expect(visibility).toEqual([[['receipt-a2', 'receipt-a3'], 90_000]]);
  });

  test('comes again by itself where its visibility cannot be changed', async () => {
    const { failed, told } = await answer(groups, {
      handle: async () => ['b1'],
      changeVisibility: async () => Promise.reject(new Error('no')),
    });
    expect(failed).toEqual(['b1', 'b2']);
    expect(told).toEqual(['warn: failed messages come again after the visibility timeout only']);
  });

  test('is changed ten at a time', async () => {
    const messages = Array.from({ length: 25 }, (_, i) => ({ id: `m${i}` }));
    const { visibility } = await answer(messages, { handle: async () => messages.map(({ id }) => id) });
    expect(visibility.map(([receipts]) => receipts.length)).toEqual([10, 10, 5]);
  });
});

describe('a message that is not ours', () => {
  const corrupt: BatchFunction['recognise'] = ({ body }) => {
    const text = textOf(body);
    if (text === 'strange') throw new SluiceError('SLUICE-DATA-CORRUPT', 'it is not a Sluice message', { hint: 'none' });
    if (text === 'newer') throw new SluiceError('SLUICE-FORMAT-NEWER', 'newer', { hint: 'wait' });
  };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const batch: readonly Sent[] = [
    { id: 'a1', group: 'a', text: '{"hello":"world"}' },
    { id: 'a2', group: 'a' },
    { id: 'a3', group: 'a', text: base64('strange') },
    { id: 'a4', group: 'a', text: base64('newer') },
  ];

  test('is kept elsewhere and told, and its group goes on', async () => {
    const handled: string[] = [];
    const handle: BatchFunction['handle'] = async (messages) => {
      handled.push(...messages.map(({ messageId }) => messageId));
      return [];
    };
    const { failed, aside, told } = await answer(batch, { handle, recognise: corrupt });
    expect([failed, handled]).toEqual([[], ['a2', 'a4']]);
    expect(aside.map(({ messageId, text, reason }) => [messageId, text, reason])).toEqual([
      ['a1', '{"hello":"world"}', 'its text is not base64'],
      ['a3', base64('strange'), 'it is not a Sluice message'],
    ]);
    expect(told).toEqual(new Array(2).fill('error: a message that is not ours was taken out of the queue and kept'));
  });

  test('stays in the queue until it could be kept', async () => {
    const { failed, told } = await answer(batch.slice(0, 2), { setAside: async () => Promise.reject(new Error('no room')) });
    expect(failed).toEqual(['a1']);
    expect(told).toEqual(['error: a message that is not ours could not be put aside']);
  });

  test('may be all that there is: then nobody is called', async () => {
    const handle = async (): Promise<never> => Promise.reject(new Error('called'));
    expect((await answer(batch.slice(0, 1), { handle })).failed).toEqual([]);
  });
});
