import { describe, expect, expectTypeOf, test } from 'vitest';
import { compileJob, defineJob, discardingSink, fromCollection, parameter, type SluiceError } from '../../lib/index.ts';

const declared = {
  input: parameter.uri('where the orders are'),
  output: parameter.uri({ default: 'out' }),
  limit: parameter.integer({ optional: true, min: 1, max: 100 }),
  rate: parameter.number({ default: 0.5 }),
  strict: parameter.boolean({ default: false }),
  mode: parameter.choice(['fast', 'exact'], { default: 'exact' }),
  label: parameter.text({ optional: true }),
};

function valuesOf(given: Readonly<Record<string, string>>): unknown {
  let values: unknown;
  const job = defineJob({
    name: 'parameters',
    parameters: declared,
    build(env, parameters) {
      values = parameters;
      env
        .fromSource(fromCollection([1]))
        .uid('numbers')
        .sinkTo(discardingSink());
    },
  });
  compileJob(job, { parameters: given });
  return values;
}

function failureOf(run: () => unknown): SluiceError {
  try {
    run();
  } catch (error) {
    return error as SluiceError;
  }
  throw new Error('it did not fail');
}

describe('parameters of a job', () => {
  test('come to build as values of their types', () => {
    expect(valuesOf({ input: 'a', limit: '7', rate: '1e3', strict: 'TRUE', mode: 'fast', label: '' })).toEqual({
      input: 'a',
      output: 'out',
      limit: 7,
      rate: 1_000,
      strict: true,
      mode: 'fast',
      label: '',
    });
  });

  test('have their defaults, or undefined, where they are not given', () => {
    expect(valuesOf({ input: 'a' })).toEqual({
      input: 'a',
      output: 'out',
      limit: undefined,
      rate: 0.5,
      strict: false,
      mode: 'exact',
      label: undefined,
    });
  });

  test('are typed by their declarations', () => {
    defineJob({
      name: 'types',
      parameters: declared,
      build(_env, parameters) {
        expectTypeOf(parameters).toEqualTypeOf<{
          readonly input: string;
          readonly output: string;
          readonly limit: number | undefined;
          readonly rate: number;
          readonly strict: boolean;
          readonly mode: 'fast' | 'exact';
          readonly label: string | undefined;
        }>();
      },
    });
  });

  test('are in the plan as text, defaults included, so that another value is another plan', () => {
    const job = defineJob({
      name: 'parameters',
      parameters: declared,
      build: (env) =>
        void env
          .fromSource(fromCollection([1]))
          .uid('numbers')
          .sinkTo(discardingSink()),
    });
    const { plan, planHash } = compileJob(job, { parameters: { input: 'a' } });
    expect(plan.parameters).toEqual({ input: 'a', output: 'out', rate: '0.5', strict: 'false', mode: 'exact' });
    expect(compileJob(job, { parameters: { input: 'b' } }).planHash).not.toBe(planHash);
    expect(compileJob(job, { parameters: { input: 'a' } }).planHash).toBe(planHash);
  });

  test('are refused all at once: unknown, missing, of the wrong type, out of range', () => {
    const error = failureOf(() => valuesOf({ output: ' ', limit: '101', rate: 'much', strict: 'yes', mode: 'slow', inptu: 'a' }));
    expect(error.code).toBe('SLUICE-PARAMETERS-INVALID');
    expect(error.facts['faults']).toHaveLength(7);
    for (const name of ['inptu', 'input', 'output', 'limit', 'rate', 'strict', 'mode']) expect(error.message).toContain(name);
    expect(error.hint).toContain('--set name=value');
    expect(error.message).toContain('where the orders are');
  });

  test.each(['', '1.5', '0x10', 'NaN', '1e400', ' 7', '--7', '0'])('limit=%j is refused', (limit) => {
    expect(failureOf(() => valuesOf({ input: 'a', limit })).code).toBe('SLUICE-PARAMETERS-INVALID');
  });

  test('named like a property of every object are no surprise', () => {
    expect(failureOf(() => valuesOf({ input: 'a', constructor: 'x' })).message).toContain('constructor is not a parameter');
  });
});
