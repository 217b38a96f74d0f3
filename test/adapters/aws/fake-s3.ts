/** S3 in this process: conditional creates, pages, partial failures of deletes, uploads in parts. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { FakeService, type FakeAnswer, type FakeRequest } from './fake-service.ts';

export interface FakeS3Options {
  readonly now?: () => number;
  readonly pageSize?: number;
  /** Codes of what is not removed, by key. */
  readonly undeletable?: (key: string) => string | undefined;
  readonly partBytesMin?: number;
}

interface Kept {
  readonly bytes: Buffer;
  readonly atMs: number;
}

export class FakeS3 {
  /** By `bucket/key`. */
  readonly objects = new Map<string, Kept>();
  readonly uploads = new Map<string, Map<number, Buffer>>();
  readonly buckets = new Set(['bucket']);
  readonly service = new FakeService(operationOf, async (request) => this.#answer(request));
  readonly #options: Required<FakeS3Options>;
  #uploadsBegun = 0;

  constructor(options: FakeS3Options = {}) {
    this.#options = { now: () => 0, pageSize: 1_000, undeletable: () => undefined, partBytesMin: 5 * 1024 * 1024, ...options };
  }

  #answer(request: FakeRequest): FakeAnswer {
    const bucket = request.host.split('.')[0]!;
    if (!this.buckets.has(bucket)) return xmlError('NoSuchBucket', 404);
    const place = `${bucket}/${request.path.slice(1)}`;
    switch (request.operation) {
      case 'PutObject':
        return this.#create(place, request, request.body) ?? { status: 200, headers: { etag: etagOf(request.body) } };
      case 'GetObject':
      case 'HeadObject':
        return this.#get(place, request.operation);
      case 'ListObjectsV2':
        return this.#list(bucket, request.query);
      case 'DeleteObjects':
        return this.#delete(bucket, request.body.toString());
      case 'CreateMultipartUpload': {
        const id = `upload-${++this.#uploadsBegun}`;
        this.uploads.set(id, new Map());
        return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
      }
      default:
        return this.#inUpload(place, request);
    }
  }

  #inUpload(place: string, request: FakeRequest): FakeAnswer {
    const { operation, query, body } = request;
    const parts = this.uploads.get(query.uploadId!);
    if (parts === undefined) return xmlError('NoSuchUpload', 404);
    if (operation === 'UploadPart') {
      parts.set(Number(query.partNumber), body);
      return { status: 200, headers: { etag: etagOf(body) } };
    }
    if (operation === 'AbortMultipartUpload') {
      this.uploads.delete(query.uploadId!);
      return { status: 204 };
    }
    const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, number]) => Number(number));
    const bytes = named.map((number) => parts.get(number));
    if (bytes.some((part) => part === undefined)) return xmlError('InvalidPart', 400);
    if (bytes.slice(0, -1).some((part) => part!.length < this.#options.partBytesMin)) return xmlError('EntityTooSmall', 400);
    const refusal = this.#create(place, request, Buffer.concat(bytes as Buffer[]));
    if (refusal !== undefined) return refusal;
    this.uploads.delete(query.uploadId!);
    return xml('<CompleteMultipartUploadResult/>');
  }

  #create(place: string, { headers }: FakeRequest, bytes: Buffer): FakeAnswer | undefined {
    if (headers['if-none-match'] === '*' && this.objects.has(place)) return xmlError('PreconditionFailed', 412);
    this.objects.set(place, { bytes, atMs: this.#options.now() });
    return undefined;
  }

  #get(place: string, operation: string): FakeAnswer {
    const kept = this.objects.get(place);
    if (kept === undefined) return operation === 'HeadObject' ? { status: 404 } : xmlError('NoSuchKey', 404);
    return {
      status: 200,
      headers: { 'content-length': String(kept.bytes.length) },
      body: Readable.from(kept.bytes.length === 0 ? [] : [kept.bytes]),
    };
  }

  #list(bucket: string, { prefix = '', 'continuation-token': after = '' }: FakeRequest['query']): FakeAnswer {
    const keys = [...this.objects.keys()]
      .filter((place) => place.startsWith(`${bucket}/${prefix}`))
      .map((place) => place.slice(bucket.length + 1))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .filter((key) => after === '' || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
    const page = keys.slice(0, this.#options.pageSize);
    const contents = page.map((key) => {
      const { bytes, atMs } = this.objects.get(`${bucket}/${key}`)!;
      return `<Contents><Key>${escapeXml(key)}</Key><LastModified>${new Date(atMs).toISOString()}</LastModified><Size>${bytes.length}</Size></Contents>`;
    });
    const more = page.length < keys.length;
    const next = more ? `<NextContinuationToken>${escapeXml(page.at(-1)!)}</NextContinuationToken>` : '';
    return xml(`<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`);
  }

  #delete(bucket: string, body: string): FakeAnswer {
    const keys = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => unescapeXml(key!));
    if (keys.length > 1_000) return xmlError('MalformedXML', 400);
    const errors = keys.flatMap((key) => {
      const code = this.#options.undeletable(key);
      if (code === undefined) this.objects.delete(`${bucket}/${key}`);
      return code === undefined
        ? []
        : [`<Error><Key>${escapeXml(key)}</Key><Code>${code}</Code><Message>because ${code}</Message></Error>`];
    });
    return xml(`<DeleteResult>${errors.join('')}</DeleteResult>`);
  }
}

function operationOf({ method, query }: Omit<FakeRequest, 'operation'>): string {
  if (method === 'POST' && 'delete' in query) return 'DeleteObjects';
  if (method === 'POST' && 'uploads' in query) return 'CreateMultipartUpload';
  if (method === 'POST') return 'CompleteMultipartUpload';
  if (method === 'PUT') return 'partNumber' in query ? 'UploadPart' : 'PutObject';
  if (method === 'DELETE') return 'AbortMultipartUpload';
  if (method === 'HEAD') return 'HeadObject';
  return 'list-type' in query ? 'ListObjectsV2' : 'GetObject';
}

function etagOf(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

function xml(text: string, status = 200): FakeAnswer {
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`) };
}

export function xmlError(code: string, status: number): FakeAnswer {
  return xml(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`, status);
}

function escapeXml(text: string): string {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0008]/.test(text)) throw new Error('XML 1.0 has no such character');
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function unescapeXml(text: string): string {
  return text.replace(/&#x([0-9a-f]+);/gi, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 16)))
    .replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&apos;/g, "'").replace(/&amp;/g, '&'); // prettier-ignore
}
