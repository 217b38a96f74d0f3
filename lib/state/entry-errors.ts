/** What users meet who ask for entries that were not loaded; the same from the runtime and from the harness in lib/testing. */
import { SluiceError } from '../base/errors.ts';

export interface MapPlace {
  readonly operator: string;
  readonly state: string;
}

export function entryNotDeclared({ operator, state }: MapPlace, entry: string): SluiceError {
  return new SluiceError(
    'SLUICE-ENTRY-NOT-DECLARED',
    `operator ${operator} reads entry ${entry} of map ${state}, which was not asked for`,
    {
      hint: `Let the function's entries return it: entries: { process: (value, key) => ({ ${state}: [entry] }) }, or onTimer for a timer.`,
      facts: { operator, state, entry },
    },
  );
}

export function mapNotDeclared({ operator, state }: MapPlace): SluiceError {
  return new SluiceError('SLUICE-MAP-NOT-LOADED', `operator ${operator} goes through map ${state}, of which single entries are loaded`, {
    hint: `Let the function's entries return { ${state}: 'all' } for what needs the whole map; it is in memory then.`,
    facts: { operator, state },
  });
}

export function requestInvalid(operator: string, what: string): SluiceError {
  return new SluiceError('SLUICE-ENTRIES-INVALID', `entries of operator ${operator} returned ${what}`, {
    hint: "Return an object that has, by the name of a map declared with { load: 'by-entry' }, an array of its keys, or 'all'.",
    facts: { operator, returned: what },
  });
}
