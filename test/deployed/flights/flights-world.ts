/** What the test of the deployed flights job does: its data in S3, its HTTP API with signed requests, its output. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SignatureV4 } from '@smithy/signature-v4';
import { region, type Emulator } from '../../../localstack/emulator.ts';
import type { Deployed } from '../deployed.ts';

export const bucket = 'flights-data';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const lookEveryMs = 500;

function s3Of({ endpoint }: Emulator): S3Client {
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true });
}

export async function putFiles(emulator: Emulator, prefix: string, files: readonly (string | Uint8Array)[]): Promise<void> {
  const s3 = s3Of(emulator);
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const [i, Body] of files.entries()) await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/${i}.ndjson`, Body }));
}

/** All published lines of a branch of the output. */
export async function publishedLines(emulator: Emulator, prefix: string): Promise<readonly string[]> {
  const s3 = s3Of(emulator);
  const lines: string[] = [];
  for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/`, ...(token === undefined ? {} : { ContinuationToken: token }) }),
    );
    for (const { Key } of page.Contents ?? []) {
      if (!/[/][^./][^/]*[.]ndjson$/.test(Key!)) continue;
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      lines.push(...(await Body!.transformToString()).split('\n').filter((line) => line !== ''));
    }
    token = page.NextContinuationToken;
  }
  return lines;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

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

type Headers = Readonly<Record<string, string>>;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Bytes are sent as they are, everything else as JSON. */
  readonly content?: object | undefined;
  readonly headers?: Headers;
}

/** Signed; below the API's root. */
export async function callApi(
  { emulator, outputs }: Deployed,
  { method, path: below, content, headers = {} }: ApiRequest,
): Promise<Response> {
  const { protocol, hostname, port, host, origin } = new URL(emulator.endpoint);
  const path = `/_aws/execute-api/${outputs['ApiId']!}${below}`;
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 as never });
  const body = content === undefined ? {} : { body: content instanceof Uint8Array ? Buffer.from(content) : JSON.stringify(content) };
  const plain = { method, protocol, hostname, port: Number(port), path, query: {}, ...body };
  const signed = await signer.sign({ ...plain, headers: { host, 'content-type': 'application/json', ...headers } });
  return fetch(`${origin}${path}`, { method, headers: signed.headers, ...body });
}

export function jobApi(deployed: Deployed) {
  const { emulator, outputs } = deployed;
  const { origin } = new URL(emulator.endpoint);
  const base = `/jobs/${outputs['JobId']!}`;
  const ask = async (request: ApiRequest): Promise<ApiAnswer> => {
    const response = await callApi(deployed, request);
    return { status: response.status, body: (await response.json()) as ApiAnswer['body'] };
  };
  const call = (method: 'GET' | 'POST', path: string, content?: object, headers: Headers = {}): Promise<ApiAnswer> =>
    ask({ method, path: `${base}${path}`, content, headers });
  /** Asks for something, and waits for what becomes of it. */
  const operation = async (path: string, content: object, lookAt = path): Promise<Readonly<Record<string, unknown>>> => {
    const triggerId = randomBytes(16).toString('hex');
    const asked = await call('POST', path, { ...content, triggerId });
    if (asked.status !== 202) throw new Error(`${path} answers ${asked.status} ${JSON.stringify(asked.body)}`);
    for (;;) {
      const { body } = await call('GET', `${lookAt}/${triggerId}`);
      if ((body['status'] as { readonly id: string }).id === 'COMPLETED') return body['operation'] as Readonly<Record<string, unknown>>;
      await sleep(lookEveryMs);
    }
  };
  const state = async (): Promise<string> => String((await call('GET', '')).body['state']);
  const untilState = async (...wanted: readonly string[]): Promise<string> => {
    for (;;) {
      const now = await state();
      if (wanted.includes(now)) return now;
      if (now === 'FAILED') throw new Error(`the job has failed: ${JSON.stringify((await call('GET', '/exceptions')).body)}`);
      await sleep(lookEveryMs);
    }
  };
  const unsigned = async (method = 'GET', path = ''): Promise<number> =>
    (await fetch(`${origin}/_aws/execute-api/${outputs['ApiId']!}${base}${path}`, { method })).status;
  /** Of all jobs. */
  const overview = (): Promise<ApiAnswer> => ask({ method: 'GET', path: '/v1/jobs/overview' });
  return { call, operation, state, untilState, unsigned, overview };
}
