/**
 * What AWS bills for one request, by the rules of November 2026. Pure: the request's input and its answer in, units out.
 *
 * BU1. What was refused before it did anything (throttled, invalid, not allowed, 5xx) costs nothing. A condition of DynamoDB that fails costs what the
 *      write would have. Where no answer came the work may have been done, and is counted.
 */
import { itemBytes, type Item } from './item-size.ts';

export type Service = 'dynamodb' | 'sqs' | 's3' | 'step-functions' | 'scheduler' | 'lambda';

/**
 * `write-unit`, `read-unit`: of DynamoDB on demand. `standard-64kb`, `fifo-64kb`: requests of SQS. `class-1`: PUT, COPY, POST, LIST of S3, `class-2`: GET
 * and the others. `call`: billed by other things than the call (transitions, invocations of a schedule). `free`: not billed.
 */
export type BilledUnit = 'write-unit' | 'read-unit' | 'standard-64kb' | 'fifo-64kb' | 'class-1' | 'class-2' | 'call' | 'free';

export interface Billed {
  readonly unit: BilledUnit;
  readonly units: number;
}

export type Answer = { readonly output?: unknown } | { readonly error: unknown };

type Fields = Readonly<Record<string, unknown>>;

export function billedUnits(service: Service, operation: string, input: object, answer: Answer): Billed {
  const request = input as Fields;
  switch (service) {
    case 'dynamodb':
      return dynamodbUnits(operation, request, answer);
    case 'sqs':
      return { unit: queueUnit(request), units: isRefused(answer) ? 0 : queueUnits(operation, request, outputOf(answer)) };
    case 's3':
      return { unit: objectUnit(operation), units: isRefused(answer) && !isMissOfObject(answer) ? 0 : 1 };
    case 'step-functions':
    case 'scheduler':
      return { unit: 'call', units: isRefused(answer) ? 0 : 1 };
    case 'lambda':
      return { unit: 'free', units: 0 };
  }
}

const writes = new Set(['PutItem', 'DeleteItem', 'UpdateItem', 'BatchWriteItem', 'TransactWriteItems']);
const reads = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan', 'TransactGetItems']);
const writeUnitBytes = 1_024;
const readUnitBytes = 4_096;
const queueUnitBytes = 65_536;

function dynamodbUnits(operation: string, request: Fields, answer: Answer): Billed {
  if (!writes.has(operation) && !reads.has(operation)) return { unit: 'free', units: 0 };
  const unit = writes.has(operation) ? 'write-unit' : 'read-unit';
  const failedCondition = 'error' in answer && nameOf(answer.error) === 'ConditionalCheckFailedException';
  if (isRefused(answer) && !failedCondition) return { unit, units: 0 };
  const told = consumed(outputOf(answer)['ConsumedCapacity']);
  if (told !== undefined) return { unit, units: told };
  if (unit === 'read-unit') return { unit, units: readUnits(operation, request, outputOf(answer)) };
  const existing = failedCondition ? ((answer.error as Fields)['Item'] as Item | undefined) : undefined;
  return { unit, units: writeUnits(operation, request, existing) };
}

function consumed(capacity: unknown): number | undefined {
  if (capacity === undefined || capacity === null) return undefined;
  const parts = (Array.isArray(capacity) ? capacity : [capacity]) as readonly { readonly CapacityUnits?: number }[];
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
}

/** By the larger of the item before and after, as far as it is known. */
function writeUnits(operation: string, request: Fields, existing: Item | undefined): number {
  if (operation === 'BatchWriteItem') {
    const requests = Object.values((request['RequestItems'] ?? {}) as Record<string, readonly Fields[]>).flat();
    return requests.reduce(
      (sum, entry) => sum + unitsOf(bytesOf((entry['PutRequest'] as Fields | undefined)?.['Item']), writeUnitBytes),
      0,
    );
  }
  return unitsOf(Math.max(bytesOf(request['Item'] ?? request['Key']), bytesOf(existing)), writeUnitBytes);
}

/** A query's rows are added up and then rounded, those of a batch are rounded one by one; what is not there costs a unit too. */
function readUnits(operation: string, request: Fields, output: Fields): number {
  const isStrong = (given: unknown): number => (given === true ? 1 : 0.5);
  if (operation === 'BatchGetItem') {
    const [asked] = Object.values(
      (request['RequestItems'] ?? {}) as Record<string, { Keys?: readonly unknown[]; ConsistentRead?: boolean }>,
    );
    const found = Object.values((output['Responses'] ?? {}) as Record<string, readonly Item[]>).flat();
    const unprocessed = Object.values((output['UnprocessedKeys'] ?? {}) as Record<string, { Keys?: readonly unknown[] }>);
    const left = unprocessed.reduce((sum, { Keys = [] }) => sum + Keys.length, 0);
    const missing = (asked?.Keys?.length ?? 0) - found.length - left;
    const units = found.reduce((sum, item) => sum + unitsOf(itemBytes(item), readUnitBytes), missing);
    return units * isStrong(asked?.ConsistentRead);
  }
  const items = operation === 'GetItem' ? [output['Item'] as Item | undefined] : ((output['Items'] ?? []) as readonly Item[]);
  return (
    unitsOf(
      items.reduce((sum, item) => sum + bytesOf(item), 0),
      readUnitBytes,
    ) * isStrong(request['ConsistentRead'])
  );
}

function queueUnit(request: Fields): BilledUnit {
  return typeof request['QueueUrl'] === 'string' && request['QueueUrl'].endsWith('.fifo') ? 'fifo-64kb' : 'standard-64kb';
}

/** A call's payload in chunks of 64 KB, one at least. */
function queueUnits(operation: string, request: Fields, output: Fields): number {
  if (operation === 'SendMessage') return unitsOf(messageBytes(request), queueUnitBytes);
  if (operation === 'SendMessageBatch') return unitsOf(sumOf(request['Entries']), queueUnitBytes);
  if (operation === 'ReceiveMessage') return unitsOf(sumOf(output['Messages']), queueUnitBytes);
  return 1;
}

function sumOf(messages: unknown): number {
  return ((messages ?? []) as readonly Fields[]).reduce((sum, message) => sum + messageBytes(message), 0);
}

function messageBytes({ MessageBody, Body, MessageAttributes }: Fields): number {
  const text = (MessageBody ?? Body ?? '') as string;
  return Buffer.byteLength(text) + (MessageAttributes === undefined ? 0 : Buffer.byteLength(JSON.stringify(MessageAttributes)));
}

function objectUnit(operation: string): BilledUnit {
  // AbortMultipartUpload is a DELETE.
  if (/^(Delete(?!Objects$)|Abort)/.test(operation)) return 'free';
  return /^(Put|Copy|List|Create|Complete|Upload|Restore|DeleteObjects$)/.test(operation) ? 'class-1' : 'class-2';
}

/** S3 bills an answer of 304, 404 and 412 like any other. */
function isMissOfObject(answer: Answer): boolean {
  return [304, 404, 412].includes(('error' in answer ? statusOf(answer.error) : undefined) ?? 0);
}

/** There was an answer, and it was no. */
function isRefused(answer: Answer): boolean {
  return 'error' in answer && statusOf(answer.error) !== undefined;
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
}

function nameOf(error: unknown): string | undefined {
  return (error as { name?: string } | null)?.name;
}

function outputOf(answer: Answer): Fields {
  return 'error' in answer ? {} : ((answer.output ?? {}) as Fields);
}

function bytesOf(item: unknown): number {
  return item === undefined || item === null ? 0 : itemBytes(item as Item);
}

function unitsOf(bytes: number, unitBytes: number): number {
  return Math.max(1, Math.ceil(bytes / unitBytes));
}
