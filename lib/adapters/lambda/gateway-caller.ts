/**
 * Who calls, out of what API Gateway (an HTTP API, payload 2.0) gives with a request.
 *
 * GC1. Only what the authorizer of the deployment says counts: with tokens an IAM identity is nobody, and the other way round.
 */
import type { Caller } from '../../ports/caller.ts';

export type Authorizer = 'iam' | 'jwt';

interface GatewayEvent {
  readonly rawPath?: unknown;
  readonly requestContext?: {
    readonly requestId?: unknown;
    readonly authorizer?: {
      readonly iam?: { readonly userArn?: unknown } | null;
      readonly jwt?: { readonly claims?: Readonly<Record<string, unknown>> | null } | null;
    } | null;
  };
}

/** @param environment what hono's adapter for Lambda puts beside a request */
export function gatewayCaller(environment: unknown, authorizer: Authorizer): Caller | undefined {
  const { event } = (environment ?? {}) as { readonly event?: GatewayEvent };
  const { authorizer: told, requestId } = event?.requestContext ?? {};
  const identity = authorizer === 'iam' ? ofIam(told?.iam?.userArn) : ofToken(told?.jwt?.claims);
  if (identity === undefined || typeof event?.rawPath !== 'string') return undefined;
  return { ...identity, path: event.rawPath, requestId: typeof requestId === 'string' ? requestId : '' };
}

function ofIam(userArn: unknown): Pick<Caller, 'who' | 'scopes'> | undefined {
  return typeof userArn === 'string' && userArn !== '' ? { who: userArn, scopes: null } : undefined;
}

/** API Gateway has verified signature, issuer, audience and times. A token of a machine may have no subject. */
function ofToken(claims: Readonly<Record<string, unknown>> | null | undefined): Pick<Caller, 'who' | 'scopes'> | undefined {
  const text = (name: string): string => (typeof claims?.[name] === 'string' ? claims[name] : '');
  const subject = text('sub') || text('client_id');
  if (text('iss') === '' || subject === '') return undefined;
  // Issuers differ: `scope` or `scp`, a text or a list, which the gateway writes as `[a b]`.
  const scopes = (text('scope') || text('scp')).replace(/^\[(.*)\]$/, '$1').split(/[\s,]+/);
  return { who: `${text('iss')}#${subject}`, scopes: scopes.filter((scope) => scope !== '') };
}
