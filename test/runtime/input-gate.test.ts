import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ControlKind } from '../../lib/model/envelope.ts';
import { judgeControl, judgeSequence } from '../../lib/runtime/input-gate.ts';

describe('the input gate', () => {
  test('takes each envelope of a channel once and in order, whatever comes twice or late, and names what is missing', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12)), (arrivals) => {
        let last = 0;
        const accepted: number[] = [];
        for (const sequence of arrivals) {
          const verdict = judgeSequence(last, sequence);
          expect(verdict).toBe(sequence <= last ? 'duplicate' : sequence === last + 1 ? 'next' : 'gap');
          if (verdict === 'next') accepted.push((last = sequence));
        }
        expect(accepted).toEqual(accepted.map((_, i) => i + 1));
      }),
    );
  });

  test('takes control numbers once and only upwards, each kind for itself, gaps included', () => {
    const kinds = fc.constantFrom<ControlKind>('order', 'kick', 'continue', 'wake');
    fc.assert(
      fc.property(fc.array(fc.tuple(kinds, fc.integer({ min: 1, max: 9 }))), (arrivals) => {
        const last: Partial<Record<ControlKind, number>> = {};
        const taken: Record<string, number[]> = {};
        for (const [kind, number] of arrivals) {
          if (judgeControl(last, kind, number) === 'duplicate') continue;
          last[kind] = number;
          (taken[kind] ??= []).push(number);
        }
        for (const numbers of Object.values(taken)) expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        for (const kind of ['order', 'kick', 'continue', 'wake'] as const) {
          const highest = Math.max(0, ...arrivals.filter(([some]) => some === kind).map(([, number]) => number));
          expect(last[kind] ?? 0).toBe(highest);
        }
      }),
    );
  });
});
