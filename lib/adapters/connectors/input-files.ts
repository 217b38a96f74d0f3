/**
 * What sources need of where their files are, and which place a URI means.
 *
 * IF1. What is read of an open file is of one content. Where the store cannot hold it to that (a file system), files may not change while a job runs.
 * IF2. Errors are SluiceErrors that name the file.
 */
import { join } from 'node:path';
import type { ConnectorSpec } from '../../model/job-plan.ts';
import { pathOption } from './input-file.ts';
import { localInputFiles } from './local-input-files.ts';
import { textOption } from './option.ts';
import { createS3InputFiles } from './s3-input-files.ts';
import type { S3Connection } from './s3-connection.ts';
import { isS3Uri, s3Place, s3Text } from '../../model/s3-uri.ts';

export interface InputFile {
  readonly path: string;
  readonly bytes: number;
  /** Another content has another one, as far as the store can tell. */
  readonly stamp: string;
  /** For a position: opened by it, nothing but this content is read. Undefined where the store cannot promise that. */
  readonly version: string | undefined;
  /** Into `target` from byte `at` on, as much as is at hand; 0 at the end only. */
  read(target: Buffer, at: number): Promise<number>;
  /** Exactly these bytes. @throws SluiceError `SLUICE-INPUT-CORRUPT` where the file has not got them */
  slice(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

export interface OpenInput {
  /** Where reading begins: what the store is asked first may bring it. */
  readonly near: number | 'end';
  readonly version?: string | undefined;
}

export interface InputFiles {
  /** Ranges with no more than this between them are read in one go; below 0 none are. */
  readonly gapBytesMax: number;
  open(path: string, options: OpenInput): Promise<InputFile>;
  /** Names of the files right below; undefined where the path is a file. @throws SluiceError `SLUICE-INPUT-MISSING` where nothing is there */
  list(path: string): Promise<readonly string[] | undefined>;
  join(folder: string, name: string): string;
}

export interface InputPlace {
  readonly files: InputFiles;
  /** A file or a folder. */
  readonly path: string;
  /** Of `folder/*.parquet`: which files of the folder are meant. */
  readonly ending: string | undefined;
}

export type FindInput = (source: ConnectorSpec) => InputPlace;

const endingPattern = /^(.*[\\/])\*(\.[a-z0-9.]+)$/is;

export function findInputs(s3: S3Connection): FindInput {
  const s3Files = createS3InputFiles(s3);
  return (source) => {
    const uri = textOption(source, 'uri');
    const files = isS3Uri(uri) ? s3Files : localInputFiles;
    const path = isS3Uri(uri) ? s3Text(s3Place(uri)) : pathOption(source, 'uri');
    const [, folder, ending] = endingPattern.exec(path) ?? [];
    if (folder === undefined) return { files, path, ending };
    return { files, path: isS3Uri(uri) ? `${folder}/` : join(folder, '.'), ending };
  };
}
