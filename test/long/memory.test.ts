import { expect, test } from 'vitest';
import { measureMemory } from '../../bench/measure-memory.ts';

test('a job that reads four times as much needs no more memory', async () => {
  const { residentMb, residentMbAt12M } = await measureMemory();
  console.log(`${residentMb} MB over 3,000,000 records, ${residentMbAt12M} MB over 12,000,000`);
  expect(residentMb).toBeGreaterThan(50);
  // The collector's mood makes a tenth. Eight bytes kept of every record would make 72 MB.
  expect(residentMbAt12M).toBeLessThan(residentMb * 1.25);
});
