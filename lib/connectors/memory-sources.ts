import { errorMessage } from '../base/errors.ts';
import { decodeValue, encodeValue } from '../model/value-json.ts';
import type { RecordsOptions, Source } from './source.ts';
import { parseJson } from '../base/parse-json.ts';

export interface CollectionOptions {
  /** Deals the values out in turn, so that several subtasks can read them. Default 1: all in order. */
  readonly splits?: number;
}

/**
 * The values themselves, in order. They are part of the plan, which is JSON: a Date, a bigint or undefined is written with a tag
 * there and comes back as it was. For tests and small tables.
 */
export function fromCollection<T>(values: readonly T[], { splits }: CollectionOptions = {}): Source<T> {
  const name = `collection of ${values.length}`;
  try {
    const text = encodeValue([...values]);
    const tagged: unknown = parseJson(text);
    const options = { values: tagged, ...(splits === undefined ? {} : { splits }) };
    const connector = { connector: 'collection', options, guarantee: 'exactly-once' } as const;
    // A tag is written once more when it is taken for a user's object.
    if (encodeValue(tagged) === text) return { name, connector };
    return { name, connector, decode: (value) => decodeValue(JSON.stringify(value)) as T };
  } catch (error) {
    const connector = { connector: 'collection', options: { values: [] }, guarantee: 'exactly-once' } as const;
    return { name, connector, problem: { message: errorMessage(error), hint: 'Give plain data.' } };
  }
}

/** Lines of JSON in a text that the running program holds in memory under a name. */
export function memoryText<T>(name: string, { limit, onMalformed }: RecordsOptions = {}): Source<T> {
  const options = { name, ...(limit === undefined ? {} : { limit }), ...(onMalformed === undefined ? {} : { onMalformed }) };
  return { name: `text ${name}`, connector: { connector: 'memory-text', options, guarantee: 'exactly-once' } };
}
