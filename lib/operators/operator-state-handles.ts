import type { StateDeclaration } from '../model/job-plan.ts';
import type { OperatorContext } from './operator.ts';
import type { OperatorListState, OperatorStateDescriptors } from './operator-state.ts';

export function declareOperatorStates(descriptors: OperatorStateDescriptors): StateDeclaration[] {
  return Object.entries(descriptors).map(([name, { kind }]) => ({ name, kind }));
}

/** In `open` only. */
export function openOperatorStates(
  context: OperatorContext,
  descriptors: OperatorStateDescriptors,
): Readonly<Record<string, OperatorListState<unknown>>> {
  return Object.fromEntries(Object.entries(descriptors).map(([name, { kind }]) => [name, openList(context, name, kind)]));
}

function openList(context: OperatorContext, name: string, kind: 'operator-list' | 'operator-union'): OperatorListState<unknown> {
  const handle = context.operatorState(name, kind);
  const replace = (items: unknown[]): void => {
    handle.items = items;
    handle.changed();
  };
  return {
    items: () => handle.items,
    add(item) {
      handle.items.push(item);
      handle.changed();
    },
    update: (items) => replace([...items]),
    clear: () => replace([]),
  };
}
