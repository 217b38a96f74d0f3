/** What the DSL needs to know of an operator beside its place in the graph. */
import type { StateDeclaration } from '../model/job-plan.ts';
import { timerStates, type TimerDomain } from '../model/state-row.ts';
import type { StateDescriptors } from '../state/descriptors.ts';
import type { StreamOperator } from './operator.ts';

export interface OperatorSpec {
  readonly kind: string;
  readonly states: readonly StateDeclaration[];
  readonly create: () => StreamOperator;
  /** Works by event time, so that every source above it needs a watermark strategy. */
  readonly eventTime?: boolean;
}

/** A stateless operator. */
export function statelessSpec(kind: string, create: () => StreamOperator): OperatorSpec {
  return { kind, states: [], create };
}

export function declareKeyedStates(descriptors: StateDescriptors): StateDeclaration[] {
  return Object.entries(descriptors).map(([name, descriptor]) => ({
    name,
    kind: descriptor.kind,
    ...(descriptor.ttl === undefined ? {} : { ttlMs: descriptor.ttl.ttlMs }),
  }));
}

export function declareTimers(...domains: readonly TimerDomain[]): StateDeclaration[] {
  return domains.map((domain) => ({ name: timerStates[domain], kind: 'timers' as const }));
}
