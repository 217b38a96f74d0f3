/**
 * DynamoDB in the process: an SDK `requestHandler` that keeps items of one table and refuses what DynamoDB refuses (sizes, keys, batches), with faults on
 * demand. It knows nothing of how Sluice lays out its items.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { compareValues, isTrue, type Attributes } from './dynamodb-expressions.ts';
import { itemBytes } from '../../../lib/adapters/aws-sdk/item-size.ts';

/** `lost`: the work is done and the connection breaks. `unprocessed`: of a batch only the first entry is done; `stalled`: none is. */
export type Fault = 'throttle' | 'lost' | 'broken' | 'unprocessed' | 'stalled' | 'denied';

type Body = Readonly<Record<string, unknown>>;
type Item = Record<string, AttributeValue>;
interface WireRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

const itemBytesMax = 409_600;
const pageBytesMax = 1_048_576;
const batchBytesMax = 16_777_216;

class Refusal extends Error {
  readonly type: string;
  readonly status: number;
  readonly more: Body;

  constructor(type: string, message: string, more: Body = {}, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
    this.more = more;
  }
}

export class FakeDynamoDb {
  readonly #now: () => number;
  /** Partition key, and sort key where the table has one. */
  readonly #keys: readonly string[];
  readonly #items = new Map<string, Map<string, Item>>();
  readonly #faults: { readonly operation: string; readonly fault: Fault }[] = [];
  readonly metadata = { handlerProtocol: 'http/1.1' };
  /** Operations in the order in which they came. */
  readonly requests: string[] = [];
  /** Whether answers say what was billed. */
  tellsCapacity = true;
  /** Called before each request is worked on. */
  before: ((operation: string) => void) | undefined;

  constructor(now: () => number, keys: readonly string[] = ['pk', 'sk']) {
    this.#now = now;
    this.#keys = keys;
  }

  /** The next `times` requests of that operation meet it. */
  fail(operation: string, fault: Fault, times = 1): void {
    for (let i = 0; i < times; i++) this.#faults.push({ operation, fault });
  }

  /** What was to fail works again. */
  heal(): void {
    this.#faults.length = 0;
  }

  /** How many requests came since the last call, by operation. */
  takeRequests(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const operation of this.requests.splice(0)) counts[operation] = (counts[operation] ?? 0) + 1;
    return counts;
  }

  /** As somebody would who has the table before him. */
  forget(pk: string, sk: string): void {
    this.#items.get(pk)?.delete(sk);
  }

  all(): Item[] {
    return [...this.#items.values()].flatMap((partition) => [...partition.values()]);
  }

  /** What native TTL does some time later. Returns how many items went. */
  expire(): number {
    const gone = this.all().filter(({ expiresAt }) => expiresAt !== undefined && Number(expiresAt.N) * 1_000 < this.#now());
    for (const item of gone) this.#remove(item);
    return gone.length;
  }

  updateHttpClientConfig(): void {}
  httpHandlerConfigs(): object {
    return {};
  }

  async handle(request: WireRequest): Promise<{ readonly response: unknown }> {
    const operation = request.headers['x-amz-target']?.split('.')[1] ?? '';
    const text = typeof request.body === 'string' ? request.body : new TextDecoder().decode(request.body);
    this.requests.push(operation);
    this.before?.(operation);
    const at = this.#faults.findIndex((fault) => fault.operation === operation);
    const fault = at < 0 ? undefined : this.#faults.splice(at, 1)[0]!.fault;
    await new Promise((resolve) => setImmediate(resolve));
    try {
      if (fault === 'throttle') throw new Refusal('ThrottlingException', 'Rate of requests exceeds the allowed throughput.');
      if (fault === 'denied') throw new Refusal('AccessDeniedException', 'not authorized to perform');
      if (fault === 'broken') throw new Refusal('InternalServerError', 'internal', {}, 500);
      const answer = this.#answer(operation, decodeBinary(JSON.parse(text)) as Body, fault);
      if (fault === 'lost') throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      return respond(200, answer);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return respond(error.status, { __type: `com.amazonaws.dynamodb.v20120810#${error.type}`, message: error.message, ...error.more });
    }
  }

  #answer(operation: string, body: Body, fault: Fault | undefined): Body {
    switch (operation) {
      case 'GetItem':
        return this.#get(body);
      case 'PutItem':
        return this.#put(body);
      case 'Query':
        return this.#query(body);
      case 'BatchGetItem':
        return this.#batchGet(body, fault);
      case 'BatchWriteItem':
        return this.#batchWrite(body, fault);
      default:
        throw new Refusal('UnknownOperationException', operation);
    }
  }

  #get(body: Body): Body {
    const item = this.#find(body['Key'] as Item);
    return { ...(item === undefined ? {} : { Item: item }), ...this.#consumed(item === undefined ? 1 : readUnits(itemBytes(item))) };
  }

  #put(body: Body): Body {
    const item = body['Item'] as Item;
    const [pk, sk] = this.#placeOf(item);
    if (itemBytes(item) > itemBytesMax) throw new Refusal('ValidationException', 'Item size has exceeded the maximum allowed size');
    const existing = this.#find(item);
    const condition = body['ConditionExpression'] as string | undefined;
    if (condition !== undefined && !isTrue(condition, existing ?? {}, (body['ExpressionAttributeValues'] ?? {}) as Attributes)) {
      const told = body['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD' && existing !== undefined ? { Item: existing } : {};
      throw new Refusal('ConditionalCheckFailedException', 'The conditional request failed', told);
    }
    const partition = this.#items.get(pk) ?? new Map<string, Item>();
    this.#items.set(pk, partition);
    partition.set(sk, item);
    return this.#consumed(Math.ceil(Math.max(itemBytes(item), existing === undefined ? 0 : itemBytes(existing)) / 1_024));
  }

  #query(body: Body): Body {
    const values = body['ExpressionAttributeValues'] as Attributes;
    const condition = body['KeyConditionExpression'] as string;
    const start = body['ExclusiveStartKey'] as Item | undefined;
    const partition = this.#items.get(values[':pk']!.S!) ?? new Map<string, Item>();
    const direction = body['ScanIndexForward'] === false ? -1 : 1;
    const matching = [...partition.values()]
      .filter((item) => isTrue(condition, item, values))
      .sort((a, b) => direction * compareValues(a['sk']!, b['sk']!))
      .filter((item) => start === undefined || direction * compareValues(item['sk']!, start['sk']!) > 0);
    const page: Item[] = [];
    let bytes = 0;
    const itemsMax = (body['Limit'] as number | undefined) ?? Number.POSITIVE_INFINITY;
    for (const item of matching) {
      if (page.length >= itemsMax || bytes >= pageBytesMax) break;
      page.push(item);
      bytes += itemBytes(item);
    }
    const isCut = page.length < matching.length || page.length === itemsMax;
    const last = page.at(-1);
    return {
      Items: page.map((item) => projected(item, body['ProjectionExpression'] as string | undefined)),
      Count: page.length,
      ...(isCut && last !== undefined ? { LastEvaluatedKey: { pk: last['pk']!, sk: last['sk']! } } : {}),
      ...this.#consumed(readUnits(bytes)),
    };
  }

  #batchGet(body: Body, fault: Fault | undefined): Body {
    const [[table, request]] = Object.entries(body['RequestItems'] as Record<string, Body>) as [[string, Body]];
    const keys = request['Keys'] as Item[];
    if (keys.length === 0 || keys.length > 100)
      throw new Refusal('ValidationException', 'Too many items requested for the BatchGetItem call');
    if (new Set(keys.map((key) => JSON.stringify(key))).size < keys.length) {
      throw new Refusal('ValidationException', 'Provided list of item keys contains duplicates');
    }
    const found: Item[] = [];
    let [bytes, done, units] = [0, 0, 0];
    for (const key of keys) {
      const item = this.#find(key);
      if (fault === 'stalled' || (fault === 'unprocessed' && done > 0) || bytes >= batchBytesMax) break;
      done += 1;
      units += item === undefined ? 1 : readUnits(itemBytes(item));
      if (item === undefined) continue;
      bytes += itemBytes(item);
      found.push(projected(item, request['ProjectionExpression'] as string | undefined));
    }
    const left = keys.slice(done);
    const unprocessed = left.length === 0 ? {} : { [table]: { ...request, Keys: left } };
    // Answers come in any order.
    return { Responses: { [table]: found.reverse() }, UnprocessedKeys: unprocessed, ...this.#consumedByTable(table, units) };
  }

  #batchWrite(body: Body, fault: Fault | undefined): Body {
    const [[table, requests]] = Object.entries(body['RequestItems'] as Record<string, Body[]>) as [[string, Body[]]];
    if (requests.length === 0 || requests.length > 25) throw new Refusal('ValidationException', 'Too many items requested');
    const done = fault === 'stalled' ? [] : fault === 'unprocessed' ? requests.slice(0, 1) : requests;
    let units = 0;
    for (const { DeleteRequest } of done) {
      const { Key } = DeleteRequest as { Key: Item };
      const item = this.#find(Key);
      units += Math.ceil((item === undefined ? 1 : itemBytes(item)) / 1_024);
      this.#remove(Key);
    }
    const left = requests.slice(done.length);
    return { UnprocessedItems: left.length === 0 ? {} : { [table]: left }, ...this.#consumedByTable(table, units) };
  }

  #find(key: Item): Item | undefined {
    const [pk, sk] = this.#placeOf(key);
    return this.#items.get(pk)?.get(sk);
  }

  #remove(key: Item): void {
    const [pk, sk] = this.#placeOf(key);
    this.#items.get(pk)?.delete(sk);
  }

  #placeOf(item: Item): readonly [string, string] {
    const [pk, sk = ''] = this.#keys.map((name, index) => keyText(item[name], index === 0 ? 2_048 : 1_024));
    return [pk!, sk];
  }

  #consumed(units: number): Body {
    return this.tellsCapacity ? { ConsumedCapacity: { TableName: 'fake', CapacityUnits: units } } : {};
  }

  #consumedByTable(table: string, units: number): Body {
    return this.tellsCapacity ? { ConsumedCapacity: [{ TableName: table, CapacityUnits: units }] } : {};
  }
}

function keyText(value: AttributeValue | undefined, bytesMax: number): string {
  const text = value?.S ?? value?.N ?? '';
  const bytes = Buffer.byteLength(text);
  if (bytes === 0 || bytes > bytesMax) throw new Refusal('ValidationException', `a key of ${bytes} bytes`);
  return text;
}

function projected(item: Item, expression: string | undefined): Item {
  if (expression === undefined) return item;
  const names = expression.split(',').map((name) => name.trim());
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}

function readUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 4_096));
}

function respond(statusCode: number, body: Body): { readonly response: unknown } {
  const bytes = Buffer.from(JSON.stringify(encodeBinary(body)));
  return { response: { statusCode, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: bytes } };
}

/** `{ B: base64 }` on the wire, bytes inside. */
function decodeBinary(value: unknown): unknown {
  return mapValues(value, (name, part) => (name === 'B' && typeof part === 'string' ? new Uint8Array(Buffer.from(part, 'base64')) : part));
}

function encodeBinary(value: unknown): unknown {
  return mapValues(value, (_, part) => (part instanceof Uint8Array ? Buffer.from(part).toString('base64') : part));
}

function mapValues(value: unknown, change: (name: string, part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((part) => mapValues(part, change));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, mapValues(change(name, part), change)]));
}
