/** Positions as readers find them again: they come from records and savepoints, perhaps of another connector or version. */
import { SluiceError } from '../../base/errors.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';

/** A position whose parts are counts, those of `start`, which is also where a split begins. `version`: of the file, where its store has versions. */
export function countsPosition<Position extends object>(
  source: ConnectorSpec,
  split: string,
  position: unknown,
  start: Position,
): Position & { readonly version?: string } {
  if (position === null) return start;
  const found = Object(position) as Readonly<Record<string, unknown>>;
  const isWhole = Object.keys(start).every((name) => Number.isSafeInteger(found[name]) && (found[name] as number) >= 0);
  if (isWhole && ['string', 'undefined'].includes(typeof found['version'])) return found as Position;
  throw invalidPosition(source, split, position);
}

export function invalidPosition(spec: ConnectorSpec, split: string, position: unknown): SluiceError {
  return new SluiceError(
    'SLUICE-POSITION-INVALID',
    `connector ${spec.connector} cannot go on at ${JSON.stringify(position)} in split ${split}`,
    {
      hint: 'The position was stored by another connector or version. Restore from a savepoint of this job, or start it from nothing.',
      facts: { connector: spec.connector, split, position },
    },
  );
}
