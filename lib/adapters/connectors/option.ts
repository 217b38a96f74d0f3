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

/** Names, one or more; undefined where none are given. */
export function namesOption(spec: ConnectorSpec, name: string): readonly string[] | undefined {
  const value = spec.options[name];
  if (value === undefined || value === null) return undefined;
  const isList = Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
  return isList ? value : refuse(spec, name, 'a list of names');
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
