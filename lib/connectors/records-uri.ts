/**
 * Connectors by URI: the scheme picks the connector, for files the ending. A job that takes its URIs as parameters runs on files today and on
 * other services later, unchanged.
 */
import { fileSink } from './committer-sinks.ts';
import { ndjsonFiles, type ParquetOptions, parquetFile } from './file-sources.ts';
import type { Sink } from './sink.ts';
import type { ConnectorProblem, Source } from './source.ts';

/** One letter before a colon is a drive, not a scheme. */
const schemePattern = /^([a-z][a-z0-9+.-]+):/i;
const laterSchemes: readonly string[] = ['s3', 'sqs'];

export function recordsFrom<T>(uri: string, options: ParquetOptions<T> = {}): Source<T> {
  const problem = schemeProblem(uri, 'read');
  if (problem === undefined && /\.parquet$/i.test(uri)) return parquetFile<T>(uri, options);
  const source = ndjsonFiles<T>(uri, options);
  if (problem !== undefined) return { ...source, problem };
  if (/\.(?:ndjson|jsonl)$/i.test(uri) || uri.endsWith('/')) return source;
  return {
    ...source,
    problem: {
      message: `${uri} does not say what it holds`,
      hint: 'Name a file that ends in .parquet, .ndjson or .jsonl, or a folder of NDJSON files with a slash at its end.',
    },
  };
}

export function recordsTo<T>(uri: string): Sink<T> {
  const problem = schemeProblem(uri, 'write');
  return { ...fileSink<T>(uri), ...(problem === undefined ? {} : { problem }) };
}

function schemeProblem(uri: string, verb: 'read' | 'write'): ConnectorProblem | undefined {
  if (uri.trim() === '') return { message: `an empty URI is nothing to ${verb}`, hint: 'Name a path or a file: URI.' };
  const scheme = schemePattern.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined || scheme === 'file') return undefined;
  if (laterSchemes.includes(scheme)) {
    return { message: `${uri}: this version cannot ${verb} ${scheme}: yet`, hint: 'Name a path or a file: URI.' };
  }
  return { message: `${uri}: the scheme ${scheme}: is unknown`, hint: 'Name a path or a file: URI.' };
}
