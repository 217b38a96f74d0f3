import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { signWith } from '../../../lib/adapters/aws-sdk/sign-request.ts';

class Sha256 {
  readonly #hash;
  constructor(key?: string | Uint8Array) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }
}

const region = 'eu-west-1';

test('a request is signed as the SDK signs it, whatever its path, query and body', async () => {
  const segment = fc.stringMatching(/^[a-z0-9._~!'()*%$-]{1,8}$/).filter((text) => !/%|^\.+$/.test(text));
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        method: fc.constantFrom('GET', 'POST', 'PATCH'),
        segments: fc.array(segment, { maxLength: 4 }),
        query: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.string({ unit: 'grapheme', maxLength: 6 }), { maxKeys: 3 }),
        body: fc.string(),
        sessionToken: fc.option(fc.constant('token+/='), { nil: undefined }),
        nowMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      }),
      async ({ method, segments, query, body, sessionToken, nowMs }) => {
        const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'secret', ...(sessionToken === undefined ? {} : { sessionToken }) };
        const url = new URL(`https://api.execute-api.${region}.amazonaws.com/${segments.join('/')}`);
        for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
        const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 as never, applyChecksum: false });
        const { hostname, pathname: path } = url;
        const wanted = await signer.sign(
          { method, protocol: 'https:', hostname, path, headers: { host: hostname }, query, body },
          { signingDate: new Date(nowMs) },
        );
        const signed = signWith(credentials, { method, url, body, region, nowMs });
        expect({ host: hostname, ...signed }).toEqual(wanted.headers);
      },
    ),
    { numRuns: 300 },
  );
});
