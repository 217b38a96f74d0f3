import type { ConnectorSpec } from '../model/job-plan.ts';
import type { RecordsOptions, Source } from './source.ts';

export interface FilesOptions extends RecordsOptions {
  /** Files of a folder are at most so many splits, which are read at the same time: default 64 for NDJSON, 8 for Parquet, of which each keeps a row group. */
  readonly splits?: number;
}

export interface ParquetOptions<T> extends FilesOptions {
  /** Reads these columns only. */
  readonly columns?: readonly (keyof T & string)[];
}

/** A Parquet file or a folder of them, on a file system or S3, read one row group at a time. Timestamps come as milliseconds since 1970, whole numbers as numbers. */
export function parquetFile<T>(uri: string, options: ParquetOptions<T> = {}): Source<T> {
  return { name: `parquet ${uri}`, connector: fileSpec('parquet', uri, options) };
}

/** A file with one JSON value per line, or a folder of them, plain or gzip, on a file system or S3. */
export function ndjsonFiles<T>(uri: string, options: FilesOptions = {}): Source<T> {
  return { name: `ndjson ${uri}`, connector: fileSpec('ndjson', uri, options) };
}

/** The same position gives the same records in the same order, so nothing is lost or read twice. */
function fileSpec(connector: string, uri: string, { columns, limit, onMalformed, splits }: ParquetOptions<never>): ConnectorSpec {
  return {
    connector,
    options: {
      uri,
      ...(columns === undefined ? {} : { columns: [...columns] }),
      ...(limit === undefined ? {} : { limit }),
      ...(onMalformed === undefined ? {} : { onMalformed }),
      ...(splits === undefined ? {} : { splits }),
    },
    guarantee: 'exactly-once',
  };
}
