/** Signs requests to an HTTP API behind API Gateway with the credentials that every program of AWS finds: environment, profile, single sign-on, role. */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';
import { createHash, createHmac } from 'node:crypto';
import { errorMessage, SluiceError } from '../../base/errors.ts';

export interface PlainRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

type Credentials =
  Parameters<typeof SignatureV4.prototype.sign> extends never ? never : ConstructorParameters<typeof SignatureV4>[0]['credentials'];

/** @returns the headers to send. @throws SluiceError `SLUICE-CREDENTIALS-MISSING` */
export function createRequestSigner(region: string, credentials: Credentials = defaultProvider()) {
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
  return async ({ method, url, headers, body }: PlainRequest): Promise<Readonly<Record<string, string>>> => {
    const { protocol, hostname, port, host, pathname: path, searchParams } = url;
    const request = {
      ...{ method, protocol, hostname, path, query: Object.fromEntries(searchParams), headers: { ...headers, host } },
      ...(port === '' ? {} : { port: Number(port) }),
      ...(body === undefined ? {} : { body }),
    };
    try {
      return (await signer.sign(request)).headers;
    } catch (error) {
      throw new SluiceError('SLUICE-CREDENTIALS-MISSING', `a request to ${host} cannot be signed: ${errorMessage(error)}`, {
        hint: 'Log in as for the AWS command line (`aws sso login`, AWS_PROFILE, or AWS_ACCESS_KEY_ID and the others).',
        facts: { host },
        cause: error,
      });
    }
  };
}

/** As the signer wants its hash. */
class Sha256 {
  #hash: ReturnType<typeof createHash>;
  readonly #key: string | Uint8Array | undefined;

  constructor(key?: unknown) {
    this.#key = key as string | Uint8Array | undefined;
    this.#hash = this.#begin();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(data as string | Uint8Array);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): ReturnType<typeof createHash> {
    return (this.#key === undefined ? createHash('sha256') : createHmac('sha256', this.#key)) as ReturnType<typeof createHash>;
  }
}
