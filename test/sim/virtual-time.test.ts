import { describe, expect, test } from 'vitest';
import { Decisions } from '../../lib/testing/sim/decisions.ts';
import { VirtualTime } from '../../lib/testing/sim/virtual-time.ts';

describe('virtual time', () => {
  test('goes from event to event in order of time, those of one moment as they were asked for, and skips what was taken back', async () => {
    const time = new VirtualTime();
    const seen: string[] = [];
    const at = (delayMs: number, name: string) => time.after(delayMs, () => seen.push(`${name} at ${time.nowMs}`));
    at(500, 'c');
    at(20, 'a');
    at(20, 'b');
    at(30, 'never')();
    time.after(20, () => at(1, 'between'));
    await time.run(() => false);
    expect(seen).toEqual(['a at 20', 'b at 20', 'between at 21', 'c at 500']);
  });

  test('keeps any number of events in order', async () => {
    const time = new VirtualTime();
    const decisions = new Decisions(7);
    const seen: number[] = [];
    for (let i = 0; i < 2_000; i++) time.after(decisions.below('delay', 1_000), () => seen.push(time.nowMs));
    await time.run(() => false);
    expect(seen).toHaveLength(2_000);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });
});

describe('decisions', () => {
  test('hang on the seed, the name and how often it was asked, and on nothing else', () => {
    const [some, same, other] = [new Decisions(1), new Decisions(1), new Decisions(2)];
    const first = Array.from({ length: 50 }, () => some.fraction('a'));
    const mixed = Array.from({ length: 50 }, () => {
      same.fraction('b');
      return same.fraction('a');
    });
    expect(mixed).toEqual(first);
    expect(Array.from({ length: 50 }, () => other.fraction('a'))).not.toEqual(first);
  });

  test('are spread evenly', () => {
    const decisions = new Decisions(3);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 20_000; i++) counts[decisions.below('x', 10)]!++;
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(250);
  });
});
