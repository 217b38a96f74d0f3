import type { ConnectorSpec } from '../model/job-plan.ts';
import type { RecordsOptions, Source } from './source.ts';

export interface ParquetOptions<T> extends RecordsOptions {
  /** Reads these columns only. */
  readonly columns?: readonly (keyof T & string)[];
}

/** A Parquet file, read one row group at a time. Timestamps come as milliseconds since 1970, whole numbers as numbers. */
export function parquetFile<T>(uri: string, options: ParquetOptions<T> = {}): Source<T> {
  return { name: `parquet ${uri}`, connector: fileSpec('parquet', uri, options) };
}

/** A file with one JSON value per line, or a folder of them. */
export function ndjsonFiles<T>(uri: string, options: RecordsOptions = {}): Source<T> {
  return { name: `ndjson ${uri}`, connector: fileSpec('ndjson', uri, options) };
}

/** The same position gives the same records in the same order, so nothing is lost or read twice. */
function fileSpec(connector: string, uri: string, { columns, limit, onMalformed }: ParquetOptions<never>): ConnectorSpec {
  return {
    connector,
    options: {
      uri,
      ...(columns === undefined ? {} : { columns: [...columns] }),
      ...(limit === undefined ? {} : { limit }),
      ...(onMalformed === undefined ? {} : { onMalformed }),
    },
    guarantee: 'exactly-once',
  };
}
