/**
 * An AWS service in this process: an SDK's request handler that answers requests by itself, counts them, and goes wrong where a test says so.
 */
export interface FakeRequest {
  readonly operation: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** `lost-request`: nothing was done, and no answer comes. `lost-answer`: it was done, and no answer comes. A function answers in the service's place. */
export type Fault = 'lost-request' | 'lost-answer' | ((request: FakeRequest) => FakeAnswer | undefined);

interface HttpRequest {
  readonly method: string;
  readonly hostname: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export class FakeService {
  readonly requests: FakeRequest[] = [];
  readonly #operationOf: (request: Omit<FakeRequest, 'operation'>) => string;
  readonly #answer: (request: FakeRequest) => Promise<FakeAnswer>;
  readonly #faults = new Map<string, (Fault | undefined)[]>();

  constructor(operationOf: (request: Omit<FakeRequest, 'operation'>) => string, answer: (request: FakeRequest) => Promise<FakeAnswer>) {
    this.#operationOf = operationOf;
    this.#answer = answer;
  }

  /** What goes wrong with the next requests of that operation, in order; undefined = nothing. */
  inject(operation: string, ...faults: readonly (Fault | undefined)[]): void {
    this.#faults.set(operation, [...(this.#faults.get(operation) ?? []), ...faults]);
  }

  /** Names of the operations since it was asked last. */
  take(): string[] {
    return this.requests.splice(0).map(({ operation }) => operation);
  }

  readonly requestHandler = {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async (request: HttpRequest): Promise<{ response: { statusCode: number; headers: Record<string, string>; body: unknown } }> => {
      const { status, headers = {}, body } = await this.#handle(request);
      return { response: { statusCode: status, headers: { ...headers }, body } };
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
    destroy: () => undefined,
  };

  async #handle({ method, hostname, path, query = {}, headers, body }: HttpRequest): Promise<FakeAnswer> {
    const plain = {
      method,
      host: hostname,
      path: decodeURIComponent(path),
      query: textOf(query),
      headers: lowerCase(headers),
      body: bytesOf(body),
    };
    const request: FakeRequest = { ...plain, operation: this.#operationOf(plain) };
    this.requests.push(request);
    const fault = this.#faults.get(request.operation)?.shift();
    if (fault === 'lost-request') throw connectionLost();
    if (typeof fault === 'function') return fault(request) ?? this.#answer(request);
    const answer = await this.#answer(request);
    if (fault === 'lost-answer') throw connectionLost();
    return answer;
  }
}

function connectionLost(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

function textOf(query: NonNullable<HttpRequest['query']>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value ?? '')]));
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function bytesOf(body: unknown): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  if (typeof body === 'string') return Buffer.from(body);
  if (body === undefined) return Buffer.alloc(0);
  throw new Error('the fake reads no streams');
}

/** As services that speak JSON answer. */
export function json(body: unknown, status = 200): FakeAnswer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: Buffer.from(JSON.stringify(body)) };
}

export function jsonError(name: string, status = 400, message = name): FakeAnswer {
  return json({ __type: `com.amazonaws.fake#${name}`, message }, status);
}

/** Retries as the SDK's own, without its pauses. */
const retryStrategy = {
  mode: 'standard',
  acquireInitialRetryToken: async () => retryToken(0),
  refreshRetryTokenForRetry: async (token: ReturnType<typeof retryToken>, { errorType }: { errorType: string }) => {
    if (token.getRetryCount() >= 2 || errorType === 'CLIENT_ERROR') throw new Error('no further try');
    return retryToken(token.getRetryCount() + 1);
  },
  recordSuccess: () => undefined,
};

function retryToken(count: number) {
  return { getRetryCount: () => count, getRetryDelay: () => 0 };
}

/** For any SDK client. */
export function clientConfig({ requestHandler }: FakeService) {
  return {
    region: 'eu-west-1',
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
    requestHandler,
    retryStrategy,
  } as const;
}
