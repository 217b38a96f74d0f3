import { SluiceError } from '../base/errors.ts';

/** `undefined` means "no state yet", so that storing it would silently begin anew with every record. */
export function refuseUndefined(what: string): never {
  throw new SluiceError('SLUICE-ACCUMULATOR-UNDEFINED', `${what} returned undefined`, {
    hint: 'Return the new accumulator, or null where there is nothing to say; an arrow function with braces needs a return.',
    facts: { what },
  });
}
