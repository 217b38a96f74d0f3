/**
 * S3 in this process, for what reads and writes files: ranges, conditions, copies, pages, deletes. An SDK's request handler that answers by itself, counts,
 * and goes wrong where a test says so.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';

/** `lost-request`: nothing was done, no answer. `lost-answer`: it was done, no answer. `broken-body`: the answer breaks off. A function is called first. */
export type Fault = 'throttle' | 'conflict' | 'denied' | 'lost-request' | 'lost-answer' | 'broken-body' | (() => void);

interface Stored {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Request {
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export class FakeObjectStorage {
  /** By `bucket/key`. */
  readonly objects = new Map<string, Stored>();
  /** Of every attempt, with the range where it has one. */
  readonly requests: string[] = [];
  pageSize = 1_000;
  readonly #faults: { readonly operation: string; readonly fault: Fault }[] = [];
  #writes = 0;

  put(place: string, content: string | Uint8Array, metadata: Readonly<Record<string, string>> = {}): void {
    const bytes = Buffer.from(content);
    // As with a key of KMS: the same content written again has another ETag.
    const etag = `"${createHash('md5').update(bytes).update(String(this.#writes++)).digest('hex')}"`;
    this.objects.set(place, { bytes, etag, metadata });
  }

  /** What goes wrong with the next requests of that operation, in order. */
  inject(operation: string, ...faults: readonly Fault[]): void {
    this.#faults.push(...faults.map((fault) => ({ operation, fault })));
  }

  take(): string[] {
    return this.requests.splice(0);
  }

  client(): S3Client {
    return new S3Client({
      region: 'eu-west-1',
      endpoint: 'http://storage.invalid',
      forcePathStyle: true,
      credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      requestHandler: {
        handle: async (request: HttpRequest) => ({ response: await this.#handle(request) }),
        updateHttpClientConfig: () => undefined,
        httpHandlerConfigs: () => ({}),
        destroy: () => undefined,
      },
      // The SDK's own retries, without its pauses.
      retryStrategy: retriesWithoutPauses(),
    });
  }

  async #handle({ method, path, query = {}, headers, body }: HttpRequest): Promise<Answer> {
    const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(decodeURIComponent(path)) ?? [];
    const plain = lowerCase(headers);
    const operation = operationOf(method, query, plain);
    const request = { operation, bucket, key, query: query as Record<string, string>, headers: plain, body: bytesOf(body) };
    this.requests.push([operation, plain['range']].filter(Boolean).join(' '));
    const index = this.#faults.findIndex((known) => known.operation === operation);
    const fault = index < 0 ? undefined : this.#faults.splice(index, 1)[0]!.fault;
    if (typeof fault === 'function') fault();
    if (fault === 'throttle') return failure('SlowDown', 503);
    if (fault === 'conflict') return failure('ConditionalRequestConflict', 409);
    if (fault === 'denied') return failure('AccessDenied', 403);
    if (fault === 'lost-request') throw connectionLost();
    const answer = this.#answer(request);
    if (fault === 'lost-answer') throw connectionLost();
    return fault === 'broken-body' ? { ...answer, body: brokenBody() } : answer;
  }

  #answer(request: Request): Answer {
    const { bucket, key, operation, headers, body } = request;
    const place = `${bucket}/${key}`;
    if (bucket === 'missing') return failure('NoSuchBucket', 404);
    if (operation === 'PutObject') return this.#create(place, headers, body, metadataOf(headers));
    if (operation === 'CopyObject') {
      const source = this.objects.get(decodeURIComponent(headers['x-amz-copy-source']!));
      if (source === undefined) return failure('NoSuchKey', 404);
      const refused = this.#create(place, headers, source.bytes, source.metadata);
      return refused.statusCode === 200 ? xml('<CopyObjectResult/>') : refused;
    }
    if (operation === 'GetObject' || operation === 'HeadObject') return this.#get(place, headers, operation === 'HeadObject');
    if (operation === 'DeleteObject') {
      this.objects.delete(place);
      return { statusCode: 204, headers: {}, body: Readable.from([]) };
    }
    return operation === 'DeleteObjects' ? this.#delete(bucket, body.toString()) : this.#list(bucket, request.query);
  }

  #create(place: string, headers: Request['headers'], bytes: Buffer, metadata: Stored['metadata']): Answer {
    if (headers['if-none-match'] === '*' && this.objects.has(place)) return failure('PreconditionFailed', 412);
    this.put(place, bytes, metadata);
    return { statusCode: 200, headers: { etag: this.objects.get(place)!.etag }, body: Readable.from([]) };
  }

  #get(place: string, headers: Request['headers'], isHead: boolean): Answer {
    const stored = this.objects.get(place);
    const refuse = (code: string, status: number): Answer =>
      isHead ? { ...failure(code, status), body: Readable.from([]) } : failure(code, status);
    if (stored === undefined) return refuse('NoSuchKey', 404);
    const { bytes, etag, metadata } = stored;
    if (headers['if-match'] !== undefined && headers['if-match'] !== etag) return refuse('PreconditionFailed', 412);
    const [, first, end] = /^bytes=(\d*)-(\d*)$/.exec(headers['range'] ?? '') ?? [];
    const from = first === undefined ? 0 : first === '' ? Math.max(0, bytes.length - Number(end)) : Number(first);
    const to = first === undefined || first === '' ? bytes.length : Math.min(bytes.length, Number(end) + 1);
    if (first !== undefined && from >= bytes.length) return refuse('InvalidRange', 416);
    const part = bytes.subarray(from, to);
    const kept = Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]));
    const range = first === undefined ? {} : { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` };
    const body = Readable.from(isHead || part.length === 0 ? [] : [part], { objectMode: false });
    return {
      statusCode: first === undefined ? 200 : 206,
      headers: { etag, 'content-length': String(part.length), ...range, ...kept },
      body,
    };
  }

  #list(bucket: string, { prefix = '', delimiter, 'continuation-token': after = '' }: Request['query']): Answer {
    const found = [...this.objects.keys()]
      .filter((place) => place.startsWith(`${bucket}/${prefix}`))
      .map((place) => place.slice(bucket.length + 1));
    const entries = new Set(
      found.map((key) => {
        const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
        return end < 0 ? key : key.slice(0, end + 1);
      }),
    );
    const sorted = [...entries].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right))).filter((key) => key > after);
    const page = sorted.slice(0, this.pageSize);
    const texts = page.map((key) =>
      this.objects.has(`${bucket}/${key}`)
        ? `<Contents><Key>${escapeXml(key)}</Key></Contents>`
        : `<CommonPrefixes><Prefix>${escapeXml(key)}</Prefix></CommonPrefixes>`,
    );
    const more = page.length < sorted.length;
    const next = more ? `<NextContinuationToken>${escapeXml(page.at(-1)!)}</NextContinuationToken>` : '';
    return xml(`<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${texts.join('')}</ListBucketResult>`);
  }

  #delete(bucket: string, body: string): Answer {
    const keys = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key!.replaceAll('&quot;', '"').replaceAll('&amp;', '&'));
    if (keys.length > 1_000) return failure('MalformedXML', 400);
    const stuck = keys.filter((key) => key.includes('stuck'));
    for (const key of keys) if (!key.includes('stuck')) this.objects.delete(`${bucket}/${key}`);
    return xml(`<DeleteResult>${stuck.map((key) => `<Error><Key>${key}</Key><Code>AccessDenied</Code></Error>`).join('')}</DeleteResult>`);
  }
}

function operationOf(method: string, query: Readonly<Record<string, unknown>>, headers: Request['headers']): string {
  if (method === 'PUT') return 'x-amz-copy-source' in headers ? 'CopyObject' : 'PutObject';
  if (method === 'POST') return 'DeleteObjects';
  if (method === 'DELETE') return 'DeleteObject';
  if (method === 'HEAD') return 'HeadObject';
  return 'list-type' in query ? 'ListObjectsV2' : 'GetObject';
}

function retriesWithoutPauses() {
  const token = (count: number) => ({ getRetryCount: () => count, getRetryDelay: () => 0 });
  return {
    mode: 'standard',
    acquireInitialRetryToken: async () => token(0),
    refreshRetryTokenForRetry: async (last: ReturnType<typeof token>, { errorType }: { readonly errorType: string }) => {
      if (last.getRetryCount() >= 2 || errorType === 'CLIENT_ERROR') throw new Error('no further try');
      return token(last.getRetryCount() + 1);
    },
    recordSuccess: () => undefined,
  };
}

function metadataOf(headers: Request['headers']): Record<string, string> {
  const prefix = 'x-amz-meta-';
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])),
  );
}

function failure(code: string, statusCode: number): Answer {
  return { ...xml(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`), statusCode };
}

function xml(text: string): Answer {
  const body = Readable.from([Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`)]);
  return { statusCode: 200, headers: { 'content-type': 'application/xml' }, body };
}

function connectionLost(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

function brokenBody(): Readable {
  return Readable.from(
    (function* () {
      yield Buffer.from('half');
      throw connectionLost();
    })(),
  );
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function bytesOf(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body as Uint8Array);
  throw new Error('the fake reads no streams');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
