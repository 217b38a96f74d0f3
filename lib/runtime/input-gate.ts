/**
 * Decides what an arriving message is, from positions alone. Pure.
 *
 * G1. Per channel and attempt sequence numbers are accepted one by one: `last + 1`; at or below is a duplicate; above is a gap.
 * G2. Control numbers are accepted once and only upwards, per kind; gaps are legal, because a coordinator may die between numbering and sending.
 */
import { mutated } from '../base/mutated.ts';
import type { ControlKind } from '../model/envelope.ts';

export type DataVerdict = 'next' | 'duplicate' | 'gap';

export function judgeSequence(last: number, sequence: number): DataVerdict {
  if (sequence <= last) return mutated('duplicates-taken') ? 'next' : 'duplicate';
  return sequence === last + 1 || mutated('gaps-taken') ? 'next' : 'gap';
}

export function judgeControl(
  last: Readonly<Partial<Record<ControlKind, number>>>,
  kind: ControlKind,
  number: number,
): 'next' | 'duplicate' {
  const taken = last[kind] ?? 0;
  if (mutated('control-without-gaps') && kind === 'order' && taken > 0) return number === taken + 1 ? 'next' : 'duplicate';
  if (mutated('wake-without-gaps') && kind === 'wake' && taken > 0) return number === taken + 1 ? 'next' : 'duplicate';
  return number > taken ? 'next' : 'duplicate';
}
