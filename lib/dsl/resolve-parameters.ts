import { SluiceError } from '../base/errors.ts';
import type { ParameterDeclarations } from './parameters.ts';

export interface ResolvedParameters {
  readonly values: Readonly<Record<string, unknown>>;
  /** For the plan: what was given or stood in for it, as text. */
  readonly texts: Readonly<Record<string, string>>;
}

/** @throws SluiceError `SLUICE-PARAMETERS-INVALID` naming every parameter that is unknown, missing or wrong */
export function resolveParameters(
  job: string,
  declarations: ParameterDeclarations,
  given: Readonly<Record<string, string>>,
): ResolvedParameters {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  const texts: Record<string, string> = {};
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(declarations, name)) faults.push(`${name} is not a parameter of this job`);
  }
  for (const [name, declaration] of Object.entries(declarations)) {
    const text = Object.hasOwn(given, name) ? given[name] : undefined;
    const value = text === undefined ? declaration.fallback : declaration.parse(text);
    if (text === undefined && declaration.required)
      faults.push(`${name} is missing: ${declaration.expected}${described(declaration.description)}`);
    if (text !== undefined && value === undefined) faults.push(`${name} is ${JSON.stringify(text)}, and must be ${declaration.expected}`);
    values[name] = value;
    if (value !== undefined) texts[name] = text ?? (typeof value === 'string' ? value : JSON.stringify(value));
  }
  if (faults.length > 0) throw parametersInvalid(job, declarations, faults);
  return { values, texts };
}

function described(description: string): string {
  return description === '' ? '' : ` (${description})`;
}

function parametersInvalid(job: string, declarations: ParameterDeclarations, faults: readonly string[]): SluiceError {
  const known = Object.entries(declarations).map(
    ([name, { expected, required }]) => `${name}${required ? '' : ' (optional)'}: ${expected}`,
  );
  return new SluiceError(
    'SLUICE-PARAMETERS-INVALID',
    `the parameters of job ${job} are wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    {
      hint: known.length === 0 ? 'This job takes no parameters.' : `Give them as --set name=value. The job takes ${known.join('; ')}.`,
      facts: { job, faults },
    },
  );
}
