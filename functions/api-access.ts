/** How the API's functions are told who calls (infra/control-api.ts). Without a word about tokens it is IAM. */
import { gatewayCaller } from '../lib/adapters/lambda/gateway-caller.ts';
import type { Access } from '../lib/api/access.ts';

export function readAccess(variables: Readonly<Record<string, string | undefined>> = process.env): Access {
  const authorizer = variables['SLUICE_API_AUTHORIZER'] === 'jwt' ? 'jwt' : 'iam';
  return { callerOf: (environment) => gatewayCaller(environment, authorizer) };
}
