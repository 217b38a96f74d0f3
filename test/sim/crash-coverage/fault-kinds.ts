/**
 * Which faults a call is hit by. At least once every call is hit by every kind; at every occurrence in a run only those make a difference that the table
 * says.
 */
import type { CallFault } from '../../../lib/testing/sim/fault.ts';

const everyCall: readonly CallFault[] = [
  'crash-before',
  'crash-after',
  'answer-lost',
  'twice',
  'error',
  'stall-before',
  'stall-after',
  'zombie-before',
  'zombie-after',
];

/** Of a batch one message can be refused. */
const batches: ReadonlySet<string> = new Set(['sendBatch']);

/**
 * These change nothing. That one has happened is seen by nobody, so: a crash after it is a crash before it, a lost answer is an error, and twice is once.
 * When it happened counts: standing still before it reads late, standing still after it goes on with what is no longer so.
 */
const reads: ReadonlySet<string> = new Set([
  'read',
  'readKey',
  'readDue',
  'scan',
  'list',
  'present',
  'isRunning',
  'depth',
  'splits',
  'exportPart',
]);

const sameForReads: ReadonlySet<CallFault> = new Set(['crash-after', 'answer-lost', 'twice']);

/** What cannot be, and why. */
export const impossible: readonly { readonly call: string; readonly kind: CallFault; readonly why: string }[] = [
  {
    call: 'lib/coordinator/trigger-checkpoint.ts refuse signal.succeed #1',
    kind: 'zombie-after',
    why: 'The answer has moved the flow on: no other step does this work, so nobody overtakes. As stall-after it is hit.',
  },
  {
    call: 'lib/coordinator/trigger-checkpoint.ts refuse signal.fail #2',
    kind: 'zombie-after',
    why: 'The same: the refusal has ended the flow’s step for good.',
  },
];

/** Each of these, or any one of those that are much the same: what a test has time for. */
const much: readonly (readonly CallFault[])[] = [
  ['crash-before'],
  ['crash-after'],
  ['answer-lost', 'twice'],
  ['error', 'partial'],
  ['stall-before', 'stall-after'],
  ['zombie-before', 'zombie-after'],
];

export type Thoroughness = 'every kind' | 'six kinds';

/** Of each group one has to hit the call at least once. */
export function wantedKindsOf(
  { name, method }: { readonly name: string; readonly method: string },
  thoroughness: Thoroughness,
): readonly (readonly CallFault[])[] {
  const possible = kindsOf(method).filter((kind) => !impossible.some((pair) => pair.call === name && pair.kind === kind));
  if (thoroughness === 'every kind') return possible.map((kind) => [kind]);
  return much.map((kinds) => kinds.filter((kind) => possible.includes(kind)));
}

function kindsOf(method: string): readonly CallFault[] {
  return batches.has(method) ? [...everyCall, 'partial'] : everyCall;
}

export function differentKindsOf(method: string): readonly CallFault[] {
  return reads.has(method) ? kindsOf(method).filter((kind) => !sameForReads.has(kind)) : kindsOf(method);
}
