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

export async function putFiles(emulator: Emulator, prefix: string, files: readonly string[]): Promise<void> {
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

export function jobApi({ emulator, outputs }: Deployed) {
  const origin = new URL(emulator.endpoint);
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 as never });
  const root = `/_aws/execute-api/${outputs['ApiId']!}`;
  const base = `${root}/jobs/${outputs['JobId']!}`;
  const call = async (method: 'GET' | 'POST', path: string, content?: object): Promise<ApiAnswer> => ask(method, `${base}${path}`, content);
  const ask = async (method: 'GET' | 'POST', path: string, content?: object): Promise<ApiAnswer> => {
    const text = content === undefined ? {} : { body: JSON.stringify(content) };
    const { protocol, hostname, port, host } = origin;
    const headers = { host, 'content-type': 'application/json' };
    const plain = { method, protocol, hostname, port: Number(port), path, headers, query: {}, ...text };
    const signed = (await signer.sign(plain)).headers;
    const response = await fetch(`${origin.origin}${path}`, { method, headers: signed, ...text });
    return { status: response.status, body: (await response.json()) as ApiAnswer['body'] };
  };
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
  const unsigned = async (): Promise<number> => (await fetch(`${origin.origin}${base}`)).status;
  /** Of all jobs. */
  const overview = (): Promise<ApiAnswer> => ask('GET', `${root}/v1/jobs/overview`);
  return { call, operation, state, untilState, unsigned, overview };
}
