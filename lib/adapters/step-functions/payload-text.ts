import { SluiceError } from '../../base/errors.ts';

/** Step Functions: input and output of a state, as UTF-8. */
const bytesMax = 262_144;

/** @throws SluiceError `SLUICE-INVARIANT`: what flows hold is small (flow-descriptions.ts, FD2) */
export function payloadText(what: string, value: unknown): string {
  const text = JSON.stringify(value ?? null);
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes <= bytesMax) return text;
  throw new SluiceError('SLUICE-INVARIANT', `FD2: the ${what} has ${bytes} bytes, more than Step Functions takes`, {
    hint: 'This is a fault in Sluice: large data belongs into objects. Report the facts below.',
    facts: { what, bytes, bytesMax },
  });
}
