/** The definitions of the flows, held against the Amazon States Language and the quotas of Step Functions: what it refuses is refused while deploying. */
import { describe, expect, test } from 'vitest';
import { statesDefinition } from '../../infra/states-language.ts';
import { flowDescriptions } from '../../lib/coordinator/flow-descriptions.ts';

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly MaxAttempts: number;
  readonly IntervalSeconds?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
}

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly End?: true;
  readonly Default?: string;
  readonly Choices?: readonly (Readonly<Record<string, unknown>> & { readonly Next: string })[];
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly Resource?: string;
  readonly Parameters?: unknown;
}

const options = { comment: 'flow', tasksArn: 'arn:aws:lambda:eu-west-1:123456789012:function:tasks', partition: 'aws' };
const flows = flowDescriptions.map((flow) => [flow.name, statesDefinition(flow, options)] as const);
const statesOf = (definition: { readonly States: unknown }) => Object.entries(definition.States as Readonly<Record<string, State>>);
const nextOf = ({ Next, Default, Choices = [], Catch = [] }: State): readonly string[] =>
  [Next, Default, ...Choices.map((choice) => choice.Next), ...Catch.map((rule) => rule.Next)].filter((name) => name !== undefined);

/** Fields of a state by its type; what is not among them makes the definition invalid. */
const fields: Readonly<Record<string, readonly string[]>> = {
  Task: ['Resource', 'Parameters', 'TimeoutSeconds', 'TimeoutSecondsPath', 'ResultPath', 'Retry', 'Catch', 'Next', 'End'],
  Wait: ['TimestampPath', 'Next'],
  Choice: ['Choices', 'Default'],
  Succeed: [],
  Fail: ['Error', 'CausePath'],
};

/** Names of fields that hold a path end in `.$`, at any depth, and only theirs. */
function pathsIn(value: unknown, name = ''): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [[name, value]];
  return Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, key));
}

describe.each(flows)('the definition of %s', (_, definition) => {
  const states = statesOf(definition);

  test('has states that there are, each of which can be reached, and comes to an end', () => {
    const names = states.map(([name]) => name);
    const seen = new Set<string>([definition.StartAt]);
    for (const name of seen) for (const next of nextOf(definition.States[name] as unknown as State)) seen.add(next);
    expect([...seen].sort()).toEqual(names.sort());
    for (const [name, state] of states) {
      expect(name.length).toBeLessThanOrEqual(80);
      expect(
        Object.keys(state).filter((field) => field !== 'Type' && !fields[state.Type]!.includes(field)),
        name,
      ).toEqual([]);
      const isLast = state.End === true || ['Succeed', 'Fail'].includes(state.Type);
      expect(isLast ? state.Next : (state.Next ?? state.Default), name).toEqual(isLast ? undefined : expect.any(String));
    }
    expect(JSON.stringify(definition).length).toBeLessThan(1_048_576);
  });

  test('tries again by rules that Step Functions takes: everything else last and alone, and pauses that may grow', () => {
    for (const [name, { Retry: rules = [], Catch: catches = [] }] of states) {
      for (const [kind, list] of [
        ['Retry', rules],
        ['Catch', catches],
      ] as const)
        // prettier-ignore
        for (const [index, { ErrorEquals: errors }] of list.entries()) {
          expect(errors.length, `${kind} of ${name}`).toBeGreaterThan(0);
          if (errors.includes('States.ALL')) expect([errors.length, index], `${kind} of ${name}`).toEqual([1, list.length - 1]);
        }
      for (const { MaxAttempts: attempts, IntervalSeconds: interval = 1, BackoffRate: rate = 2, MaxDelaySeconds: longest } of rules) {
        expect(attempts).toBeLessThanOrEqual(99_999_999);
        expect([interval >= 1, rate >= 1, Number.isInteger(interval)]).toEqual([true, true, true]);
        if (longest !== undefined) expect([longest > interval, longest < 31_622_400], name).toEqual([true, true]);
        // 25,000 events, of which a try takes three; with full jitter a pause is half as long on average.
        if (attempts > 1_000) expect(((25_000 / 3) * longest!) / 2, name).toBeGreaterThan(7 * 86_400);
      }
    }
  });

  test('waits for Lambda for minutes where it does not take the call', () => {
    for (const [name, { Type, Retry: rules = [] }] of states) {
      if (Type !== 'Task') continue;
      for (const error of ['Lambda.TooManyRequestsException', 'Lambda.ServiceException', 'Lambda.SdkClientException']) {
        const rule = rules.find(({ ErrorEquals: errors }) => errors.includes(error) || errors.includes('States.ALL'))!;
        let pause = rule.IntervalSeconds!;
        let longestSeconds = 0;
        for (let attempt = 0; attempt < Math.min(rule.MaxAttempts, 1_000); attempt++, pause *= rule.BackoffRate!)
          longestSeconds += Math.min(pause, rule.MaxDelaySeconds!);
        expect(longestSeconds / 2, `${name}, ${error}`).toBeGreaterThan(180);
      }
    }
  });

  test('takes paths where they are looked up, and gives the token to whoever is waited for', () => {
    for (const [name, state] of states) {
      for (const [field, value] of pathsIn(state.Parameters ?? {}, ''))
        expect(typeof value === 'string' && /^\$[.$]?/.test(value), `${name}: ${field}`).toBe(field.endsWith('.$'));
      const waits = state.Resource?.endsWith('.waitForTaskToken') === true;
      expect(JSON.stringify(state.Parameters ?? {}).includes('$$.Task.Token'), name).toBe(waits);
    }
  });
});
