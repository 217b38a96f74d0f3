import { SluiceError, type ErrorFacts } from './errors.ts';

/**
 * Asserts a rule of the protocol, in production too: going on after a broken rule would lose or double records.
 * `rule` names the rule as in the header of the file that owns it, for example `G2`.
 *
 * @throws SluiceError `SLUICE-INVARIANT`
 */
export function invariant(condition: boolean, rule: string, message: string, facts?: ErrorFacts): asserts condition {
  if (!condition) {
    throw new SluiceError('SLUICE-INVARIANT', `${rule}: ${message}`, {
      hint: 'This is a fault in Sluice or in what it stored. Stop the job, keep its data and report the facts below.',
      facts: { rule, ...facts },
    });
  }
}

/** For the default branch of a switch that must be exhaustive. */
export function assertNever(value: never, what: string): never {
  throw new SluiceError('SLUICE-INVARIANT', `unexpected ${what}: ${JSON.stringify(value)}`, {
    hint: 'This is a fault in Sluice. Report the facts below.',
    facts: { what, value },
  });
}
