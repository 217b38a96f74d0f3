import { errorMessage } from '../base/errors.ts';
import { decodeValue, encodeValue } from '../model/value-json.ts';
import type { RecordsOptions, Source } from './source.ts';

/**
 * The values themselves, in order, as one split. They are part of the plan, which is JSON: a Date, a bigint or undefined is written with a tag
 * there and comes back as it was. For tests and small tables.
 */
export function fromCollection<T>(values: readonly T[]): Source<T> {
  const name = `collection of ${values.length}`;
  try {
    const text = encodeValue([...values]);
    const connector = { connector: 'collection', options: { values: JSON.parse(text) as unknown }, guarantee: 'exactly-once' } as const;
    if (text === JSON.stringify(values)) return { name, connector };
    return { name, connector, decode: (tagged) => decodeValue(JSON.stringify(tagged)) as T };
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
