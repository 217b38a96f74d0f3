/**
 * Decides what an arriving message is, from positions alone. Pure.
 *
 * G1. Per channel and attempt sequence numbers are accepted one by one: `last + 1`; at or below is a duplicate; above is a gap.
 * G2. Control numbers are accepted once and only upwards, per kind; gaps are legal, because a coordinator may die between numbering and sending.
 */
import type { ControlKind } from '../model/envelope.ts';

export type DataVerdict = 'next' | 'duplicate' | 'gap';

export function judgeSequence(last: number, sequence: number): DataVerdict {
  if (sequence <= last) return 'duplicate';
  return sequence === last + 1 ? 'next' : 'gap';
}

export function judgeControl(
  last: Readonly<Partial<Record<ControlKind, number>>>,
  kind: ControlKind,
  number: number,
): 'next' | 'duplicate' {
  return number > (last[kind] ?? 0) ? 'next' : 'duplicate';
}
