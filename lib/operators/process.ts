/**
 * Specs of all process functions, by kind. The DSL has checked the user's function against its type; here only the names of its methods matter,
 * so a class instance is as good as an object literal.
 */
import type { StateDescriptors } from '../state/descriptors.ts';
import type { EntryRequest } from '../state/entry-request.ts';
import { type FunctionHandlers, FunctionOperator } from './function-operator.ts';
import { declareKeyedStates, declareTimers, type OperatorSpec } from './operator-spec.ts';
import type { OperatorStateDescriptors } from './operator-state.ts';
import { declareOperatorStates } from './operator-state-handles.ts';

const methodsOf = {
  process: ['process'],
  'keyed-process': ['process'],
  'co-process': ['process1', 'process2'],
  'keyed-co-process': ['process1', 'process2'],
  'broadcast-process': ['processElement', 'processBroadcast'],
  'keyed-broadcast-process': ['processElement', 'processBroadcast'],
} as const;

const keyedInputsOf: Readonly<Partial<Record<ProcessKind, readonly boolean[]>>> = {
  'keyed-process': [true],
  'keyed-co-process': [true, true],
  'keyed-broadcast-process': [true, false],
};

export type ProcessKind = keyof typeof methodsOf;

type EntriesMethod = (element: unknown, key: unknown) => EntryRequest | undefined;

interface DeclaredEntries {
  readonly entries?: Readonly<Partial<Record<(typeof methodsOf)[ProcessKind][number] | 'onTimer', EntriesMethod>>>;
}

interface DeclaredStates {
  readonly state?: StateDescriptors;
  readonly operatorState?: OperatorStateDescriptors;
}

export function processSpec(kind: ProcessKind, user: object, broadcast?: string): OperatorSpec {
  const { state = {}, operatorState = {} } = user as DeclaredStates;
  const keyedInputs = keyedInputsOf[kind] ?? [false, false];
  const handlers = handlersOf(kind, user);
  return {
    kind,
    states: [
      ...declareKeyedStates(state),
      ...(keyedInputs.includes(true) && handlers.onTimer !== undefined ? declareTimers('event', 'processing') : []),
      ...declareOperatorStates(operatorState),
      ...(broadcast === undefined ? [] : [{ name: broadcast, kind: 'broadcast' as const }]),
    ],
    create: () => new FunctionOperator(handlers, { keyedInputs, state, operatorState, ...(broadcast === undefined ? {} : { broadcast }) }),
  };
}

function handlersOf(kind: ProcessKind, user: object): FunctionHandlers {
  const methods = user as Readonly<Record<string, ((...given: unknown[]) => void) | undefined>>;
  const optional = Object.fromEntries(
    (['open', 'onTimer', 'finish'] as const).flatMap((name) => (methods[name] === undefined ? [] : [[name, methods[name].bind(user)]])),
  ) as Omit<FunctionHandlers, 'inputs' | 'entries'>;
  const { entries = {} } = user as DeclaredEntries;
  return {
    inputs: methodsOf[kind].map((name) => methods[name]!.bind(user)),
    entries: methodsOf[kind].map((name) => entries[name]?.bind(entries)),
    ...(entries.onTimer === undefined ? {} : { timerEntries: entries.onTimer.bind(entries) }),
    ...optional,
  };
}
