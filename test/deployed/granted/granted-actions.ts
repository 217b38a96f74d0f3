/** What each role of a deployed app may do, by the template that was synthesised; roles by the function that has them. */

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export type Template = { readonly Resources: Readonly<Record<string, Resource>> };

interface Policy {
  readonly PolicyDocument: { readonly Statement: readonly { readonly Action: string | readonly string[] }[] };
  readonly Roles: readonly { readonly Ref: string }[];
}

export interface GrantedRole {
  /** As in the template, without digest: `FlightsCoordinatorTasks`. */
  readonly name: string;
  /** Logical ids of the functions that have it. */
  readonly functions: readonly string[];
  readonly actions: readonly string[];
}

export function grantedRoles({ Resources: resources }: Template): readonly GrantedRole[] {
  const of = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);
  return of('AWS::IAM::Role')
    .map(([role]) => {
      const policies = of('AWS::IAM::Policy').map(([, { Properties }]) => Properties as unknown as Policy);
      const own = policies.filter(({ Roles: roles }) => roles.some(({ Ref }) => Ref === role));
      const actions = own.flatMap(({ PolicyDocument }) => PolicyDocument.Statement).flatMap(({ Action }) => Action);
      const functions = of('AWS::Lambda::Function').filter(([, { Properties }]) => roleOf(Properties) === role);
      return {
        name: role.replace(/(?:Role)?[0-9A-F]{8}$/, ''),
        functions: functions.map(([name]) => name),
        actions: [...new Set(actions)].sort(),
      };
    })
    .filter(({ actions }) => actions.length > 0);
}

function roleOf({ Role }: Resource['Properties']): unknown {
  return (Role as { readonly 'Fn::GetAtt'?: readonly string[] })['Fn::GetAtt']?.[0];
}
