/**
 * Connectors by URI: the ending picks the connector, the scheme where its files are. A job that takes its URIs as parameters runs on a laptop's files and
 * on S3, unchanged.
 */
import { fileSink } from './committer-sinks.ts';
import { ndjsonFiles, type ParquetOptions, parquetFile } from './file-sources.ts';
import type { Sink } from './sink.ts';
import type { ConnectorProblem, Source } from './source.ts';

/** One letter before a colon is a drive, not a scheme. */
const schemePattern = /^([a-z][a-z0-9+.-]+):/i;
const laterSchemes: readonly string[] = ['sqs'];
/** A bucket, and something in it. */
const s3Pattern = /^[sS]3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/.*)?$/s;
const placeHint = 'Name a path, a file: URI or s3://bucket/key.';

export function recordsFrom<T>(uri: string, options: ParquetOptions<T> = {}): Source<T> {
  const problem = schemeProblem(uri, 'read');
  if (problem === undefined && /\.parquet$/i.test(uri)) return parquetFile<T>(uri, options);
  const source = ndjsonFiles<T>(uri, options);
  if (problem !== undefined) return { ...source, problem };
  if (/\.(?:ndjson|jsonl)(?:\.gz)?$/i.test(uri) || uri.endsWith('/')) return source;
  return {
    ...source,
    problem: {
      message: `${uri} does not say what it holds`,
      hint: 'Name a file that ends in .parquet, .ndjson, .jsonl or these with .gz, all of a folder (folder/*.parquet), or a folder of NDJSON files with a slash at its end.',
    },
  };
}

export function recordsTo<T>(uri: string): Sink<T> {
  const problem = schemeProblem(uri, 'write');
  return { ...fileSink<T>(uri), ...(problem === undefined ? {} : { problem }) };
}

function schemeProblem(uri: string, verb: 'read' | 'write'): ConnectorProblem | undefined {
  if (uri.trim() === '') return { message: `an empty URI is nothing to ${verb}`, hint: placeHint };
  const scheme = schemePattern.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined || scheme === 'file') return undefined;
  if (scheme === 's3') return s3Pattern.test(uri) ? undefined : { message: `${uri} names no place on S3`, hint: 'Write s3://bucket/key.' };
  if (laterSchemes.includes(scheme)) {
    const hint = verb === 'write' ? 'End the stream with sqsSink for a queue of SQS, or name a path or s3://bucket/key.' : placeHint;
    return { message: `${uri}: this version cannot ${verb} ${scheme}: yet`, hint };
  }
  return { message: `${uri}: the scheme ${scheme}: is unknown`, hint: placeHint };
}
