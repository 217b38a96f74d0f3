import { AlignedWindowOperator, type WindowOptions } from './aligned-window-operator.ts';
import { declareTimers, type OperatorSpec } from './operator-spec.ts';
import { SessionWindowOperator } from './session-window-operator.ts';

export function windowSpec(options: WindowOptions): OperatorSpec {
  const { kind, domain } = options.assigner;
  return {
    kind: 'window',
    states: [{ name: 'contents', kind: 'window' }, ...declareTimers(domain)],
    create: () => (kind === 'session' ? new SessionWindowOperator(options) : new AlignedWindowOperator(options)),
    eventTime: domain === 'event',
  };
}
