/** docs/cost.md has no number written by hand: its tables are what the bench has measured, by the price table of now. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { costTables, type MeasuredCost } from '../../bench/cost-tables.ts';
import { dollarsOf } from '../../lib/cost/dollars.ts';
import { usEast1 } from '../../lib/cost/prices.ts';
import { requestsOf } from '../../lib/model/bill.ts';

const docs = new URL('../../docs/', import.meta.url);
const measured = JSON.parse(readFileSync(new URL('cost-measured.json', docs), 'utf8')) as MeasuredCost;
const page = readFileSync(new URL('cost.md', docs), 'utf8');

test('the tables of the cost page are those of the measured counts and the price table', () => {
  expect(page.split(/<!-- (?:end of )?measured -->\n/)[1]).toBe(`\n${costTables(measured, usEast1)}\n`);
});

test('what was measured keeps to the budget: 2,500 requests and $0.008 per million events', () => {
  expect(requestsOf(measured.perMillion)).toBeLessThanOrEqual(2_500);
  expect(dollarsOf(measured.perMillion, usEast1).total).toBeLessThanOrEqual(0.008);
  expect(requestsOf(measured.perMillion, 'sent')).toBeGreaterThan(0);
});
