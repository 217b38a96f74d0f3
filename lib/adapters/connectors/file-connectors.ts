/** The connectors for files, on a file system and on S3: the same on a laptop and on AWS. */
import type { Connectors } from '../../ports/connectors.ts';
import { deferredSource } from './deferred-source.ts';
import { findInputs } from './input-files.ts';
import { createNdjsonFilesSink, type NdjsonFilesOptions } from './ndjson-files-sink.ts';
import { connectS3 } from './s3-connection.ts';

/** One connection to S3 for all of them. */
export function createFileConnectors({ s3 = connectS3(), ...sink }: NdjsonFilesOptions = {}): Connectors {
  const find = findInputs(s3);
  return {
    sources: {
      ndjson: deferredSource(async () => (await import('./ndjson-source.ts')).createNdjsonSource(find)),
      parquet: deferredSource(async () => (await import('./parquet-source.ts')).createParquetSource(find)),
    },
    sinks: { 'ndjson-files': createNdjsonFilesSink({ ...sink, s3 }) },
  };
}
