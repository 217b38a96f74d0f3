/** What the functions of a deployed app may do, held against what the server saw them do, and against the reasons for what it did not see. */
import { synthesizedTemplate } from '../../../localstack/cdk.ts';
import { requestCounts } from '../../../localstack/observe.ts';
import type { Deployed } from '../deployed.ts';
import type { Unused } from './unused-grants.ts';
import { grantedRoles, type Template } from './granted-actions.ts';
import { usedActions, wasInvoked } from './used-actions.ts';

/** Each as `ROLE ACTION`. */
export interface Compared {
  readonly usedAndNotGranted: readonly string[];
  readonly unusedWithoutReason: readonly string[];
  /** Of a grant that was used, or that there is no more. */
  readonly reasonsForNothing: readonly string[];
}

export async function compareGrants({ emulator }: Deployed, stack: string, reasons: readonly Unused[]): Promise<Compared> {
  const counts = await requestCounts(emulator);
  const roles = grantedRoles(synthesizedTemplate(emulator, stack) as Template);
  const named = (of: (role: (typeof roles)[number]) => readonly string[]): readonly string[] =>
    roles.flatMap((role) => of(role).map((action) => `${role.name} ${action}`));
  const granted = named(({ actions }) => actions);
  const used = named(({ name, functions }) => [
    ...usedActions(counts, functions),
    // Inside of the server: who else would call the steps?
    ...(name.endsWith('FlowRole') && wasInvoked(counts, /CoordinatorTasks/) ? ['lambda:InvokeFunction'] : []),
  ]);
  const excused = reasons.flatMap(({ roles: names, actions }) => names.flatMap((name) => actions.map((action) => `${name} ${action}`)));
  const byChance = new Set(reasons.flatMap(({ roles: names, actions, byChance: is }) => is === true ? names.flatMap((name) => actions.map((action) => `${name} ${action}`)) : [])); // prettier-ignore
  return {
    usedAndNotGranted: used.filter((one) => !granted.includes(one)),
    unusedWithoutReason: granted.filter((one) => !used.includes(one) && !excused.includes(one)),
    reasonsForNothing: excused.filter((one) => !granted.includes(one) || (used.includes(one) && !byChance.has(one))),
  };
}
