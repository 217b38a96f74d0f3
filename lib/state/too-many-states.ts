import { SluiceError } from '../base/errors.ts';
import type { OperatorUid } from '../base/ids.ts';

/** Bits of a 32-bit integer mark the value-like states. */
export const slotsMax = 30;

export function tooManyStates(operator: OperatorUid): SluiceError {
  return new SluiceError(
    'SLUICE-TOO-MANY-STATES',
    `operator ${operator} declares more than ${slotsMax} value, list, reducing and aggregating states`,
    {
      hint: 'Put what is read and written together into one state with an object, or into a map state.',
      facts: { operator, statesMax: slotsMax },
    },
  );
}
