/**
 * How requests to a server are authorised: a run on this machine asks for nothing, a deployed API for a signature of AWS, or for a token.
 *
 * AU1. A token or a signature goes to the server that was named, and is never followed elsewhere (api-client.ts refuses redirects).
 */
import { SluiceError } from '../base/errors.ts';

export interface PlainRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The headers to send with it. */
export type Authorise = (request: PlainRequest) => Promise<Readonly<Record<string, string>>>;

type Variables = Readonly<Record<string, string | undefined>>;

const gateway = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

const thisMachine: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** SLUICE_TOKEN; else a signature where SLUICE_AUTH is `iam` or the host is API Gateway's. @throws SluiceError `SLUICE-USAGE` */
export function authorisationFor(server: string, env: Variables): Authorise {
  const { SLUICE_TOKEN: token, SLUICE_AUTH: how } = env;
  if (how !== undefined && how !== 'iam' && how !== 'none')
    throw new SluiceError('SLUICE-USAGE', `SLUICE_AUTH is ${how}`, { hint: 'It may be iam or none.', facts: { how } });
  if (token !== undefined && token !== '') return bearing(token, server);
  const ofHost = gateway.exec(new URL(server).hostname)?.[1];
  if (how === 'none' || (how === undefined && ofHost === undefined)) return ({ headers }) => Promise.resolve(headers);
  const region = ofHost ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  if (region !== undefined) return signed(region);
  throw new SluiceError('SLUICE-USAGE', `requests to ${server} are to be signed, and nobody says for which region`, {
    hint: 'Set AWS_REGION.',
    facts: { server },
  });
}

function bearing(token: string, server: string): Authorise {
  const { protocol, hostname } = new URL(server);
  if (protocol === 'https:' || thisMachine.includes(hostname))
    return ({ headers }) => Promise.resolve({ ...headers, authorization: `Bearer ${token}` });
  throw new SluiceError('SLUICE-USAGE', `a token is not sent to ${server}, where everybody on the way could read it`, {
    hint: 'Write --server https://…, or unset SLUICE_TOKEN.',
    facts: { server },
  });
}

/** The signer is loaded at the first request: who asks a run on this machine never loads it. */
function signed(region: string): Authorise {
  let signing: Promise<Authorise> | undefined;
  return async (request) => {
    signing ??= import('../adapters/aws-sdk/sign-requests.ts').then(({ createRequestSigner }) => createRequestSigner(region));
    return (await signing)(request);
  };
}
