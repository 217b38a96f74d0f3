/** What the functions of a deployed app may do, held against what the server saw them do, and against the reasons for what it did not see. */
import { synthesizedTemplate } from '../../../localstack/cdk.ts';
import { requestCounts } from '../../../localstack/observe.ts';
import type { Deployed } from '../deployed.ts';
import { grantedRoles, type Template } from './granted-actions.ts';
import type { Unused } from './unused-grants.ts';
import { usedActions, wasInvoked } from './used-actions.ts';

interface Grant {
  readonly role: string;
  readonly action: string;
}

/** Each as `ROLE ACTION`. */
export interface Compared {
  readonly usedAndNotGranted: readonly string[];
  readonly unusedWithoutReason: readonly string[];
  /** Of a grant that was used, or that there is no more. */
  readonly reasonsForNothing: readonly string[];
}

interface Seen {
  readonly granted: readonly Grant[];
  readonly used: readonly Grant[];
}

/** `only`: of these roles alone. */
export async function compareGrants(deployed: Deployed, stack: string, reasons: readonly Unused[], only = /./): Promise<Compared> {
  const { granted, used } = await readGrants(deployed, stack, only);
  const isUsed = ({ role, action }: Grant): boolean => used.some((one) => one.role === role && one.action === action);
  const isFor = ({ roles, actions }: Unused, { role, action }: Grant): boolean => roles.test(role) && actions.includes(action);
  const isSurelyUsed = (grant: Grant) => isUsed(grant) && !reasons.some((reason) => reason.byChance === true && isFor(reason, grant));
  return {
    usedAndNotGranted: textOf(used.filter(({ role, action }) => !granted.some((one) => one.role === role && one.action === action))),
    unusedWithoutReason: textOf(granted.filter((grant) => !isUsed(grant) && !reasons.some((reason) => isFor(reason, grant)))),
    reasonsForNothing: [
      ...textOf(granted.filter((grant) => isSurelyUsed(grant) && reasons.some((reason) => isFor(reason, grant)))),
      ...reasons.flatMap((reason) =>
        reason.actions
          .filter((action) => !granted.some((grant) => grant.action === action && isFor(reason, grant)))
          .map((action) => `${String(reason.roles)} ${action}`),
      ),
    ],
  };
}

/** What the reasons that point to a test promise of it, and its run does not show. */
export async function unshownReasons(
  deployed: Deployed,
  stack: string,
  reasons: readonly Unused[],
  test: string,
): Promise<readonly string[]> {
  const { used } = await readGrants(deployed, stack, /./);
  return reasons
    .filter(({ shownBy }) => shownBy === test)
    .flatMap(({ roles, actions }) => actions.filter((action) => !used.some((one) => roles.test(one.role) && one.action === action)));
}

async function readGrants({ emulator }: Deployed, stack: string, only: RegExp): Promise<Seen> {
  const counts = await requestCounts(emulator);
  const roles = grantedRoles(synthesizedTemplate(emulator, stack) as Template).filter(({ name }) => only.test(name));
  const each = (of: (role: (typeof roles)[number]) => readonly string[]): readonly Grant[] =>
    roles.flatMap((role) => of(role).map((action) => ({ role: role.name, action })));
  const used = each(({ name, functions }) => [
    ...usedActions(counts, functions),
    // Inside of the server: who else would call the steps?
    ...(name.endsWith('Flow') && wasInvoked(counts, /CoordinatorTasks/) ? ['lambda:InvokeFunction'] : []),
  ]);
  return { granted: each(({ actions }) => actions), used };
}

function textOf(grants: readonly Grant[]): readonly string[] {
  return grants.map(({ role, action }) => `${role} ${action}`);
}
