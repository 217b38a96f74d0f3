/** What stands in a job's queues, and was not sent by it. */
import { describe, expect, test } from 'vitest';
import type { JobId } from '../../lib/base/ids.ts';
import { encodeControl } from '../../lib/model/envelope-codec.ts';
import { checkCoordinatorMessage, checkOperatorMessage } from '../../lib/model/own-message.ts';
import { encodeValue } from '../../lib/model/value-json.ts';

const job = '0123456789abcdef0123456789abcdef' as JobId;
const other = 'f'.repeat(32) as JobId;
const strange = expect.objectContaining({ code: 'SLUICE-DATA-CORRUPT' }) as Error;

describe('a message to an operator', () => {
  const body = (from: JobId, attempt: number): Uint8Array => encodeControl({ kind: 'kick', job: from, attempt, number: 1 });

  test('is of the job, and of the attempt that its group says', () => {
    expect(() => checkOperatorMessage(job, { group: '3.2', body: body(job, 2) })).not.toThrow();
    for (const group of ['3.1', '3', '3.2.2', 'x.2', '', '.2'])
      expect(() => checkOperatorMessage(job, { group, body: body(job, 2) })).toThrow(strange);
    expect(() => checkOperatorMessage(job, { group: '3.2', body: body(other, 2) })).toThrow(strange);
  });

  test('of a newer format is nobody’s fault, and may be read later', () => {
    const newer = body(job, 2);
    newer[1] = 9;
    const waits = expect.objectContaining({ code: 'SLUICE-FORMAT-NEWER', retryable: true }) as Error;
    expect(() => checkOperatorMessage(job, { group: '3.2', body: newer })).toThrow(waits);
  });
});

describe('a message to the coordinator', () => {
  const from = { job, attempt: 1, uid: 'count', shard: 0 };
  const check = (message: unknown) => () => checkCoordinatorMessage(job, { group: job, body: Buffer.from(encodeValue(message)) });

  test.each([
    { ...from, kind: 'dirty', epoch: 3 },
    { ...from, kind: 'acknowledgement', snapshot: { checkpoint: 4 } },
    { ...from, kind: 'declined', checkpoint: 4, reason: 'CHECKPOINT_DECLINED_SUBSUMED' },
    { ...from, kind: 'ended' },
    { ...from, kind: 'failed', failure: { code: 'SLUICE-USER-CODE' } },
  ])('is one of five kinds: $kind', (message) => {
    expect(check(message)).not.toThrow();
    expect(check({ ...message, job: other })).toThrow(strange);
    for (const name of Object.keys(message).filter((field) => field !== 'reason'))
      expect(check({ ...message, [name]: undefined }), name).toThrow(strange);
  });

  test.each([[null], [3], ['dirty'], [[]], [{}], [{ ...from, kind: 'constructor' }], [{ ...from, kind: 'dirty', epoch: -1 }]])(
    'is not %j',
    (message) => {
      expect(check(message)).toThrow(strange);
    },
  );
});
