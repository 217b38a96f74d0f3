/** How the command line says to a deployed API who it is: by IAM, or by a token. The local server wants neither. */
import { SluiceError } from '../base/errors.ts';
import type { CliIo } from './cli-io.ts';

export interface RequestToAuthorise {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

/** The headers that say it. */
export type Authorise = (request: RequestToAuthorise) => Promise<Readonly<Record<string, string>>>;

const gatewayHost = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;
const thisMachine: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** @throws SluiceError `SLUICE-USAGE` where a token would go over the network as plain text */
export function authoriserOf({ env, clock }: Pick<CliIo, 'env' | 'clock'>, address: string): Authorise {
  const { hostname, protocol } = new URL(address);
  const token = env['SLUICE_API_TOKEN'];
  if (token !== undefined && token !== '') {
    if (protocol === 'https:' || thisMachine.includes(hostname)) return async () => ({ authorization: `Bearer ${token}` });
    throw new SluiceError('SLUICE-USAGE', `a token is not sent to ${address}, where everybody on the way could read it`, {
      hint: 'Write --server https://…, or unset SLUICE_API_TOKEN.',
      facts: { address },
    });
  }
  const region = gatewayHost.exec(hostname)?.[1] ?? env['SLUICE_API_REGION'];
  if (region === undefined || region === '') return async () => ({});
  return async ({ method, url, body }) => {
    const { signRequest } = await import('../adapters/aws-sdk/sign-request.ts');
    return signRequest({ method, body, region, url: new URL(url), nowMs: clock.now() });
  };
}
