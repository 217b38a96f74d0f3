/** Reads a connector's options, which are plain data of any shape by the time they arrive here: from a plan, a savepoint, another version. */
import { SluiceError } from '../../base/errors.ts';
import type { ConnectorSpec } from '../../model/job-plan.ts';

export function textOption(spec: ConnectorSpec, name: string): string {
  const value = spec.options[name];
  return typeof value === 'string' && value !== '' ? value : refuse(spec, name, 'a text');
}

export function countOption(spec: ConnectorSpec, name: string, byDefault: number): number {
  const value = spec.options[name];
  if (value === undefined || value === null) return byDefault;
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : refuse(spec, name, 'a whole number above 0');
}

export function listOption(spec: ConnectorSpec, name: string): readonly unknown[] {
  const value = spec.options[name];
  return Array.isArray(value) ? value : refuse(spec, name, 'a list');
}

export function choiceOption<Choice extends string>(
  spec: ConnectorSpec,
  name: string,
  choices: readonly Choice[],
  byDefault: Choice,
): Choice {
  const value = spec.options[name] ?? byDefault;
  return choices.find((choice) => choice === value) ?? refuse(spec, name, `one of ${choices.join(', ')}`);
}

function refuse(spec: ConnectorSpec, name: string, wanted: string): never {
  throw new SluiceError('SLUICE-CONNECTOR-OPTION', `the option ${name} of connector ${spec.connector} must be ${wanted}`, {
    hint: `Give the connector ${wanted} as its option ${name}.`,
    facts: { connector: spec.connector, option: name, value: spec.options[name] },
  });
}

/** What a reader finds at a place that it did not write itself: positions come from records and savepoints. */
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
