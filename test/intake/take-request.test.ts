/** Batches by HTTP. */
import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../lib/base/errors.ts';
import type { OfferedRecord, TakeIn } from '../../lib/intake/take-in.ts';
import { takeRequest, type IntakeRequest } from '../../lib/intake/take-request.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';

let offered: readonly OfferedRecord[] = [];
const accepting: TakeIn = async (records) => {
  offered = records;
  return { taken: records.map(() => true), problem: undefined };
};

async function post(body: string | Uint8Array, more: Partial<IntakeRequest> = {}, take = accepting) {
  offered = [];
  const request = { body: Buffer.from(body as string), contentType: undefined, idempotencyKey: undefined, ...more };
  return takeRequest(take, request, systemRandom);
}
const texts = (): readonly string[] => offered.map(({ text }) => text);

describe('a batch', () => {
  test('is one record per line, or the elements of an array', async () => {
    expect(await post('{"n":1}\r\n\n 2 \n"three"')).toEqual({ status: 202, headers: {}, body: { taken: 3 } });
    expect(texts()).toEqual(['{"n":1}', '2', '"three"']);
    expect((await post(' [{"n":1}, 2, null]')).body).toEqual({ taken: 3 });
    expect(texts()).toEqual(['{"n":1}', '2', 'null']);
    expect((await post('[1]\n[2]', { contentType: 'application/x-ndjson' })).body).toEqual({ taken: 2 });
    expect(texts()).toEqual(['[1]', '[2]']);
    expect((await post('')).body).toEqual({ taken: 0 });
  });

  test('with an idempotency key is the same batch again, and in one partition; without one it is another', async () => {
    await post('1\n2', { idempotencyKey: 'k' });
    const first = offered;
    await post('1\n2', { idempotencyKey: 'k' });
    expect(offered).toEqual(first);
    expect(new Set(first.map(({ key }) => key)).size).toBe(1);
    expect(new Set(first.map(({ id }) => id)).size).toBe(2);
    await post('1\n2');
    const [one, two] = offered;
    expect([one!.id, two!.id, one!.key === two!.key]).toEqual(['', '', true]);
    await post('1\n2');
    expect(offered[0]!.key).not.toBe(one!.key);
  });

  test.each([
    ['no JSON in a line', '1\n{"a":}\n3', {}, 'line 2'],
    ['no JSON', '[1,', {}, 'it is no JSON'],
    ['JSON that is no array', '{"a":1}', { contentType: 'application/json' }, 'no array'],
    ['a record that is nested without end', `[${'['.repeat(8_000)}${']'.repeat(8_000)}]`, {}, 'deeper'],
    ['a number that would be rounded', '{"id":9007199254740993}', {}, '9007199254740993'],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), {}, 'UTF-8'],
    ['an empty key', '1', { idempotencyKey: '' }, 'Idempotency-Key'],
    ['a long key', '1', { idempotencyKey: 'k'.repeat(257) }, 'Idempotency-Key'],
  ])('with %s is refused whole, with the reason', async (_, body, more, reason) => {
    const answer = await post(body, more);
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'SLUICE-INTAKE-REQUEST', message: expect.stringContaining(reason) as unknown },
    });
    expect(offered).toEqual([]);
  });

  test.each([
    ['bytes', `"${'x'.repeat(4_194_304)}"`],
    ['records', '1\n'.repeat(10_001)],
  ])('with too many %s is to be sent in parts', async (what, body) => {
    expect(await post(body)).toMatchObject({
      status: 413,
      body: { code: 'SLUICE-INTAKE-TOO-LARGE', message: expect.stringContaining(what) as unknown, hint: expect.any(String) as unknown },
    });
  });

  test('that could not be taken may be sent again, unless the intake is closed', async () => {
    const failing =
      (code: string): TakeIn =>
      async (records) => ({ taken: records.map((__, index) => index === 0), problem: new SluiceError(code, 'why', { hint: 'what' }) });
    expect(await post('1\n2', {}, failing('SLUICE-INTAKE-STOPPED'))).toEqual({
      status: 503,
      headers: { 'retry-after': '30' },
      body: { code: 'SLUICE-INTAKE-STOPPED', message: 'why', hint: 'what' },
    });
    expect(await post('1\n2', {}, failing('SLUICE-INTAKE-CLOSED'))).toMatchObject({ status: 410, headers: {} });
  });
});
