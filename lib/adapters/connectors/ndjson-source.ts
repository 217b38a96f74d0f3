/**
 * Source `ndjson`: a file with one JSON value per line, or a folder of them (`*.ndjson`, `*.jsonl`, plain or `.gz`; what begins with a dot is still being
 * written), on a file system or on S3.
 *
 * N1. Every file is a split of its own, as long as there are not too many (file-splits.ts).
 * N2. Files may not change while the job runs: a position names a byte of the text. On S3 it names the version too, and one that changed is refused.
 * N3. Never more than a block and one record are in memory beside what is handed out; of a gzip file, what one call passes over.
 */
import { SluiceError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { SplitReader } from '../../ports/connectors.ts';
import { fileSplits, filesOfSplit } from './file-splits.ts';
import { GzipText } from './gzip-text.ts';
import type { FindInput, InputFile, InputFiles } from './input-files.ts';
import { LineBatch } from './line-batch.ts';
import { countsPosition } from './position.ts';
import { type LinesRead, readLines } from './read-lines.ts';

interface Position {
  /** Which of the split's files. */
  readonly file: number;
  /** Where the next line begins in the text, and its number. */
  readonly byte: number;
  readonly line: number;
  readonly records: number;
  readonly version?: string;
}

interface WarmText {
  readonly stamp: string;
  readonly text: GzipText;
}

interface FileRead extends LinesRead {
  readonly version: string | undefined;
}

const start: Position = { file: 0, byte: 0, line: 1, records: 0 };
const endings = /\.(?:ndjson|jsonl)(?:\.gz)?$/i;
const splitsByDefault = 64;
/** A decompressor takes some 300 KB, beside the text that waits in it. */
const warmTextsMax = 64;

export function createNdjsonSource(find: FindInput): SplitReader {
  const warmTexts = new Map<string, WarmText>();
  return {
    isPlain: true,
    splits: async (source) => fileSplits(find(source), source, endings, splitsByDefault),

    async read(source, split, position, { recordsMax }) {
      const place = find(source);
      const paths = filesOfSplit(place, source, split);
      let { file, byte, line, records, version } = countsPosition<Position>(source, split, position, start);
      const batch = new LineBatch({ source, split, recordsMax, recordsBefore: records });
      while (file < paths.length && !batch.isFull) {
        const from = { byte, line, version };
        const read = /\.gz$/i.test(paths[file]!) ? readGzip : readPlain;
        const { atEnd, ...next } = await read(place.files, paths[file]!, from, batch, warmTexts);
        ({ byte, line, version } = atEnd ? { byte: 0, line: 1, version: undefined } : next);
        if (!atEnd) break;
        file++;
      }
      const { values, malformed } = batch;
      ({ records } = batch);
      const next: Position = { file, byte, line, records, ...(version === undefined ? {} : { version }) };
      return { values, malformed, position: next, ended: file >= paths.length || batch.limitReached };
    },
  };
}

type From = Pick<FileRead, 'byte' | 'line' | 'version'>;

async function readPlain(files: InputFiles, path: string, from: From, batch: LineBatch): Promise<FileRead> {
  const file = await files.open(path, { near: from.byte, version: from.version });
  try {
    return { ...(await readLines(file, from, batch)), version: file.version };
  } finally {
    await file.close();
  }
}

async function readGzip(files: InputFiles, path: string, from: From, batch: LineBatch, warm: Map<string, WarmText>): Promise<FileRead> {
  const file = await files.open(path, { near: 0, version: from.version });
  try {
    if (file.bytes > limits.gzipFileBytesMax) throw tooLarge(file);
    const text = warmText(warm, file, from.byte);
    const read = await readLines({ path, read: (target, at) => text.read(file, target, at) }, from, batch);
    text.forget(read.byte);
    if (!read.atEnd) keepWarm(warm, path, { stamp: file.stamp, text });
    return { ...read, version: file.version };
  } finally {
    await file.close();
  }
}

/** Taken out of the warm ones while it is used: one that fails is not used again. */
function warmText(warm: Map<string, WarmText>, { path, stamp }: InputFile, byte: number): GzipText {
  const known = warm.get(path);
  warm.delete(path);
  if (known?.stamp === stamp && known.text.reaches(byte)) return known.text;
  known?.text.close();
  return new GzipText();
}

function keepWarm(warm: Map<string, WarmText>, path: string, kept: WarmText): void {
  warm.get(path)?.text.close();
  warm.set(path, kept);
  for (const [oldest, { text }] of warm) {
    if (warm.size <= warmTextsMax) return;
    text.close();
    warm.delete(oldest);
  }
}

function tooLarge({ path, bytes }: InputFile): SluiceError {
  return new SluiceError('SLUICE-INPUT-TOO-LARGE', `${path} has ${bytes} bytes, and a gzip file may have ${limits.gzipFileBytesMax}`, {
    hint: 'Split it into several files, which are also read at the same time, or unpack it: a restart decompresses a gzip file from its beginning.',
    facts: { file: path, bytes },
  });
}
