/**
 * A change of the job record as a value: the new record, nothing to do, or a refusal with its reason. Every transition of this folder ends in
 * `change`, so that no write escapes the rules below.
 *
 * J1. `version` rises by one; `numbered`, `floor`, `published`, `aborted` and `attempt` never fall.
 * J2. An attempt rises by one, and its first epoch is above every number ever given.
 * J3. Every number is given once: pending ones are distinct, given, and of this attempt.
 * J4. The status moves by the table of job-status.ts.
 * J5. `completed` falls only in a restore.
 * J6. What is completed and not published stays retained, except across a restore or the end of the job (see retention.ts, R4).
 * J7. The stored record stays below its size limit.
 */
import type { CheckpointId } from '../base/ids.ts';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import type { JobRecord } from '../model/job-record.ts';
import { isTerminal, mayMove } from './job-status.ts';
import { floorOf } from './retention.ts';

export type Transition<Reason extends string> =
  | { readonly outcome: 'changed'; readonly record: JobRecord }
  /** An earlier try has done it: nothing is written. */
  | { readonly outcome: 'unchanged'; readonly record: JobRecord }
  | { readonly outcome: 'refused'; readonly reason: Reason };

export function refused<Reason extends string>(reason: Reason): { readonly outcome: 'refused'; readonly reason: Reason } {
  return { outcome: 'refused', reason };
}

export function unchanged(record: JobRecord): { readonly outcome: 'unchanged'; readonly record: JobRecord } {
  return { outcome: 'unchanged', record };
}

/** `floor` and `aborted` follow from the patch; everything else is as given. */
export function change(
  before: JobRecord,
  patch: Partial<JobRecord>,
  nowMs: number,
): { readonly outcome: 'changed'; readonly record: JobRecord } {
  const patched = { ...before, ...patch, version: before.version + 1, changedAtMs: nowMs };
  const record = { ...patched, floor: floorOf(patched), aborted: overUpTo(patched) };
  assertMove(before, record);
  return { outcome: 'changed', record };
}

/** Shards release what they hold for numbers up to here. One number cannot name several: what lies above a pending one waits for that one's end. */
function overUpTo({ pending, numbered }: JobRecord): CheckpointId {
  return Math.min(numbered, ...pending.map(({ id }) => id - 1));
}

function assertMove(before: JobRecord, after: JobRecord): void {
  const facts = { job: after.job, version: after.version };
  for (const field of ['numbered', 'floor', 'published', 'aborted', 'attempt'] as const) {
    invariant(after[field] >= before[field], 'J1', `${field} falls from ${before[field]} to ${after[field]}`, facts);
  }
  const restored = after.attempt > before.attempt;
  invariant(after.attempt - before.attempt <= 1, 'J2', `the attempt jumps from ${before.attempt} to ${after.attempt}`, facts);
  invariant(
    restored ? after.firstEpoch > before.numbered : after.firstEpoch === before.firstEpoch,
    'J2',
    `epoch ${after.firstEpoch} was used`,
    facts,
  );
  invariant(mayMove(before.status, after.status), 'J4', `no way from ${before.status} to ${after.status}`, facts);
  invariant(restored || after.completed >= before.completed, 'J5', `completed falls from ${before.completed} to ${after.completed}`, facts);
  assertRecord(after);
  if (restored || isTerminal(after.status)) return;
  const lost = before.retained.find(({ id }) => id > after.published && !after.retained.some((kept) => kept.id === id));
  invariant(lost === undefined, 'J6', `checkpoint ${lost?.id} is retired before its parts are published`, facts);
}

/** What holds of every stored record; also asserted when one is read before a write. */
export function assertRecord(record: JobRecord): void {
  const numbers = record.pending.map(({ id }) => id);
  invariant(new Set(numbers).size === numbers.length, 'J3', `a pending number twice in ${numbers.join(', ')}`);
  for (const id of numbers) {
    invariant(id <= record.numbered && id >= record.firstEpoch, 'J3', `number ${id} is pending, ${record.numbered} the highest given`);
  }
  const held = [...record.retained.map(({ id }) => id), ...record.pins.map(({ checkpoint }) => checkpoint)];
  for (const id of held)
    invariant(id >= record.floor && id <= record.numbered, 'R1', `checkpoint ${id} is held, the floor is ${record.floor}`);
  const bytes = Buffer.byteLength(JSON.stringify(record), 'utf8');
  invariant(bytes <= limits.jobRecordBytesMax, 'J7', `the job record has ${bytes} bytes, at most ${limits.jobRecordBytesMax}`, {
    job: record.job,
  });
}
