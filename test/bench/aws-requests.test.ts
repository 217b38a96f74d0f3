/** The budget of issue 5: requests and dollars per million records, on fewer of them. The same code as `npm run bench:aws-requests`. */
import { expect, test } from 'vitest';
import { measureAwsRequests } from '../../bench/aws-requests.ts';
import { dollarsOf } from '../../lib/cost/dollars.ts';
import { usEast1 } from '../../lib/cost/prices.ts';
import { requestsOf } from '../../lib/model/bill.ts';

const records = 150_000;
/** Every checkpoint and the job's beginning and end count alike, however few records there are. */
const intervalMs = 60_000;
const chunkLines = 15_000;

/** As wide, and about as hard to compress, as the flights of the bench. */
function chunksOf(count: number): readonly string[] {
  const airports = Array.from({ length: 300 }, (_, i) => `A${i.toString(36).toUpperCase().padStart(2, '0')}`);
  let seed = 1;
  const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const chunks: string[] = [];
  for (let at = 0; at < count; at += chunkLines) {
    let text = '';
    for (let i = at; i < Math.min(count, at + chunkLines); i++) {
      const date = 978_307_200_000 + Math.floor(i / 20) * 60_000;
      text += `${JSON.stringify({ date, delay: next(90) - 20, distance: 100 + next(2_000), origin: airports[next(300)], destination: airports[next(300)] })}\n`;
    }
    chunks.push(text);
  }
  return chunks;
}

test('a million records through one stateful hop are at most 2,500 requests and $0.008', async () => {
  // The result is that of a plain loop, or it throws.
  const { bill } = await measureAwsRequests({ chunks: chunksOf(records), records, intervalMs });
  const perMillion = 1e6 / records;
  expect(requestsOf(bill) * perMillion, JSON.stringify(bill)).toBeLessThanOrEqual(2_500);
  expect(dollarsOf(bill, usEast1).total * perMillion).toBeLessThanOrEqual(0.008);
  expect(bill['dynamodb.PutItem']).toBeGreaterThan(0);
  expect(bill['s3.PutObject']).toBeGreaterThan(0);
}, 60_000);

test('what checkpoints carry is what was counted until the last of them, each count once', async () => {
  const { bill, taken, carried, checkpoints } = await measureAwsRequests({ chunks: chunksOf(records), records, intervalMs: 100, recordsPerRound: 1_024 }); // prettier-ignore
  expect(checkpoints).toBeGreaterThan(2);
  const { 'states.Transition': transitions, ...counted } = carried;
  expect(transitions).toBe(4 * checkpoints);
  // Behind the last snapshots there are only commits that end the job; what those took is in the shards' records.
  expect(Object.keys(counted).sort()).toEqual(Object.keys(taken).sort());
  for (const [name, count] of Object.entries(counted)) expect(count, name).toBeLessThanOrEqual(taken[name]!);
  expect(requestsOf(counted) / requestsOf(taken)).toBeGreaterThan(0.97);
  // And then its own completion, and the job's end.
  const share = requestsOf(carried, 'sent') / requestsOf(bill, 'sent');
  expect(share).toBeGreaterThan(0.9);
  expect(share).toBeLessThanOrEqual(1);
}, 60_000);
