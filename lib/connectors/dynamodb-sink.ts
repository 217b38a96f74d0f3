/** Rows of a DynamoDB table: what a row must be is asked here, before anything is committed, so that no row can stand in the way of the others. */
import { inspect } from 'node:util';
import { SluiceError } from '../base/errors.ts';
import type { OperatorUid } from '../base/ids.ts';
import { limits } from '../base/limits.ts';
import { awsTable } from '../model/aws-resources.ts';
import { deletedAttribute, type RowChange, versionAttribute } from '../model/delivered-records.ts';
import { attributeBytes, attributesBytes } from '../model/item-bytes.ts';
import { itemAttributes, type ItemAttribute, type ItemAttributes } from '../model/item-attributes.ts';
import type { OperatorContext, StreamOperator } from '../operators/operator.ts';
import type { Sink } from './sink.ts';
import type { ConnectorProblem } from './source.ts';

export interface DynamoDbSinkOptions<T> {
  /** Name or ARN. */
  readonly table: string;
  /** The table's own key: its partition key, and its sort key where it has one. Texts and numbers. */
  readonly key: string | readonly [partition: string] | readonly [partition: string, sort: string];
  /** Records that delete their row; of them only the key counts. Default: none. */
  readonly deletes?: (record: T) => boolean;
  /** By which the table expires what is left of deleted rows. Default: `expiresAt`. */
  readonly ttlAttribute?: string;
}

/**
 * Rows of a DynamoDB table, replaced by key: **exactly once in effect**. When a checkpoint is complete the table holds the newest row of each key that the
 * checkpoint covers, through crashes, retries and restores, and nothing that no checkpoint covers; no late writer puts an older row back. The stream is dealt
 * out by the key of the rows. Rows appear one by one. Readers pass over rows with `sluiceDeleted`, until TTL takes them away.
 */
export function dynamoDbSink<T extends object>({ table, key, deletes, ttlAttribute = 'expiresAt' }: DynamoDbSinkOptions<T>): Sink<T> {
  const keys: readonly string[] = typeof key === 'string' ? [key] : key;
  const rules: RowRules = { keys, deletes: deletes as RowRules['deletes'] };
  const problem = problemOf(table, keys, ttlAttribute);
  return {
    name: `table ${awsTable(table)?.name ?? table}`,
    states: [],
    connector: { connector: 'dynamodb', options: { table, key: keys, ttlAttribute }, guarantee: 'idempotent' },
    target: `dynamodb ${table}`,
    keyOf: (record) => rowKey(keys, record),
    create: () => new RowSinkOperator(rules),
    ...(problem === undefined ? {} : { problem }),
  };
}

interface RowRules {
  readonly keys: readonly string[];
  readonly deletes: ((record: unknown) => boolean) | undefined;
}

const reserved: readonly string[] = [versionAttribute, deletedAttribute];

function problemOf(table: string, keys: readonly string[], ttlAttribute: string): ConnectorProblem | undefined {
  if (awsTable(table) === undefined) return { message: `${table} names no table`, hint: 'Name the table of DynamoDB, or give its ARN.' };
  const areKeys = keys.length > 0 && keys.length <= 2 && new Set(keys).size === keys.length;
  if (areKeys && [...keys, ttlAttribute].every((name) => name !== '' && !reserved.includes(name)) && !keys.includes(ttlAttribute)) return;
  return {
    message: `${JSON.stringify(keys)} is no key of a table, beside the attributes ${[...reserved, ttlAttribute].join(', ')}`,
    hint: "Give the names of the table's own key: { key: 'id' }, or { key: ['customer', 'day'] }.",
  };
}

/** By it a row finds its subtask. What is no key goes somewhere, and is refused there with its record. */
function rowKey(keys: readonly string[], record: unknown): unknown {
  const parts = keys.map((name) => {
    const value = (record as Readonly<Record<string, unknown>> | null | undefined)?.[name];
    if (typeof value === 'string') return value.slice(0, limits.itemPartitionKeyBytesMax);
    if (typeof value === 'bigint') return Number(value);
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  });
  return parts.length === 1 ? parts[0] : parts;
}

class RowSinkOperator implements StreamOperator {
  readonly #rules: RowRules;
  #part!: { write(change: RowChange): void };
  #uid!: OperatorUid;

  constructor(rules: RowRules) {
    this.#rules = rules;
  }

  open(context: OperatorContext): void {
    this.#part = context.sink();
    this.#uid = context.uid;
  }

  process(_input: number, value: unknown): void {
    const { keys, deletes } = this.#rules;
    const record = value as Readonly<Record<string, unknown>>;
    const isGone = deletes?.(record) === true;
    const kept = isGone ? Object.fromEntries(keys.map((name) => [name, record[name]])) : record;
    const made = itemAttributes(kept);
    if ('problem' in made) throw this.#unsupported(value, `${made.problem.what} at ${made.problem.path || 'its top'}`, made.problem);
    const { item } = made;
    keys.forEach((name, index) => this.#checkKey(value, name, item[name], index));
    const taken = reserved.find((name) => name in item);
    if (taken !== undefined) throw this.#unsupported(value, `an attribute ${taken}, which is the sink's own`, { path: `.${taken}` });
    const bytes = attributesBytes(item) + limits.itemVersionBytesMax;
    if (bytes > limits.itemBytesMax) throw this.#tooLarge(item, bytes);
    this.#part.write(isGone ? { key: kept } : { item: record });
  }

  #checkKey(record: unknown, name: string, value: ItemAttribute | undefined, index: number): void {
    const isKey = value !== undefined && ('S' in value || 'N' in value);
    const bytes = isKey ? attributeBytes(value) : 0;
    const bytesMax = index === 0 ? limits.itemPartitionKeyBytesMax : limits.itemSortKeyBytesMax;
    if (bytes > 0 && bytes <= bytesMax) return;
    const what = isKey ? `a key ${name} of ${bytes} bytes` : `no text or number as its key ${name}`;
    throw this.#unsupported(record, what, { path: `.${name}` });
  }

  #unsupported(record: unknown, what: string, facts: object): SluiceError {
    return new SluiceError('SLUICE-SINK-RECORD-UNSUPPORTED', `a record at the sink ${this.#uid} has ${what}, which DynamoDB cannot hold`, {
      hint: 'Map the records before the sink to rows of the table: its key, strings, finite numbers, booleans, null, bytes, arrays and plain objects.',
      facts: {
        operator: this.#uid,
        ...facts,
        written: inspect(record, { customInspect: false, breakLength: Infinity }).slice(0, shownCharactersMax),
      },
    });
  }

  #tooLarge(item: ItemAttributes, bytes: number): SluiceError {
    const key = Object.fromEntries(this.#rules.keys.map((name) => [name, item[name]]));
    return new SluiceError('SLUICE-SINK-RECORD-TOO-LARGE', `a record at the sink ${this.#uid} is a row of ${bytes} bytes`, {
      hint: `DynamoDB takes ${limits.itemBytesMax} bytes: write less, put what is large elsewhere, or set such records aside with onError('dead-letter').`,
      facts: { operator: this.#uid, bytes, bytesMax: limits.itemBytesMax, key: JSON.stringify(key).slice(0, shownCharactersMax) },
    });
  }
}

const shownCharactersMax = 1_000;
