/** Namespaces of the base that a job has left: kept for as long as a zombie may read or write there, then dropped. */
import { spaceOf, type JobRecord, type LeftSpace } from '../model/job-record.ts';
import { change, unchanged, type Transition } from './transition.ts';

/** One for each restore of a savepoint between two collections. */
const leftSpacesMax = 16;

export function leave({ leftSpaces = [] }: JobRecord, space: string, leftAtMs: number): readonly LeftSpace[] {
  return [...leftSpaces, { space, leftAtMs }].slice(-leftSpacesMax);
}

/** Of an import that was given up: what a zombie of it still writes goes with it. */
export function leaveImport(record: JobRecord, space: string, nowMs: number): Transition<never> {
  if (spaceOf(record) === space || record.leftSpaces?.some((left) => left.space === space) === true) return unchanged(record);
  return change(record, { leftSpaces: leave(record, space, nowMs) }, nowMs);
}

export function forgetSpaces(record: JobRecord, dropped: readonly string[], nowMs: number): Transition<never> {
  const { leftSpaces = [], ...rest } = record;
  const left = leftSpaces.filter(({ space }) => !dropped.includes(space));
  if (left.length === leftSpaces.length) return unchanged(record);
  return change(rest, left.length === 0 ? {} : { leftSpaces: left }, nowMs);
}
