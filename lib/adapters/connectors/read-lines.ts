/**
 * Lines of one file into a batch, chunk by chunk.
 *
 * RL1. A line ends at a line feed or at the end of the file. Blank lines, a carriage return before the line feed and a byte order mark are no content.
 * RL2. Bytes that are not UTF-8 are refused with their line: they would become other characters without a word.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { limits } from '../../base/limits.ts';
import { inputCorrupt } from './input-file.ts';
import type { LineBatch, LinePlace } from './line-batch.ts';

export interface LinesRead {
  /** Where the next line begins, and its number. */
  readonly byte: number;
  readonly line: number;
  readonly atEnd: boolean;
}

type Start = Pick<LinesRead, 'byte' | 'line'>;

/** Of a file, or of what it is decompressed to. */
export interface TextBytes {
  readonly path: string;
  /** Where it is known. */
  readonly bytes?: number;
  /** Into `target` from byte `at` on, as much as is at hand; 0 at the end only. */
  read(target: Buffer, at: number): Promise<number>;
}

const chunkBytes = 1_048_576;
/** After so much a call hands out what it has, even nothing: large records must not add up to the memory, nor blank lines to a long silence. */
const bytesPerReadMax = 33_554_432;
const lineFeed = 10;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

export async function readLines(text: TextBytes, start: Start, batch: LineBatch): Promise<LinesRead> {
  const { path, bytes = Infinity } = text;
  if (bytes < start.byte) throw inputCorrupt(path, `ends at byte ${bytes}, before what was read of it`, { byte: start.byte });
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let { byte, line } = start;
  let begun: Buffer = Buffer.alloc(0);
  while (!batch.isFull && byte - start.byte < bytesPerReadMax) {
    const bytesRead = await text.read(chunk, byte + begun.length);
    const block = begun.length === 0 ? chunk.subarray(0, bytesRead) : Buffer.concat([begun, chunk.subarray(0, bytesRead)]);
    const whole = bytesRead === 0 ? block.length : block.lastIndexOf(lineFeed) + 1;
    const taken = takeLines(block.subarray(0, whole), path, { byte, line }, batch);
    ({ byte, line } = taken);
    if (!taken.atEnd) break;
    if (bytesRead === 0) return { byte, line, atEnd: true };
    begun = Buffer.from(block.subarray(whole));
    if (begun.length > limits.recordBytesMax) {
      refuseLong(begun, { file: path, byte, line }, batch);
      ({ byte, line } = { byte: await findLineEnd(text, chunk, byte + begun.length), line: line + 1 });
      begun = Buffer.alloc(0);
    }
  }
  return { byte, line, atEnd: false };
}

/** Whole lines; `atEnd`: all of them were taken. The loop over them is hot. */
function takeLines(block: Buffer, path: string, start: Start, batch: LineBatch): LinesRead {
  const isClean = isUtf8(block);
  const encoding = isAscii(block) ? 'latin1' : 'utf8';
  let { line } = start;
  let at = start.byte === 0 && block.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
  const placeOf = (): LinePlace => ({ file: path, byte: start.byte + at, line });
  while (at < block.length && !batch.isFull) {
    const found = block.indexOf(lineFeed, at);
    const end = found < 0 ? block.length : found;
    if (end - at > limits.recordBytesMax) refuseLong(block.subarray(at, end), placeOf(), batch);
    else if (!isClean && !isUtf8(block.subarray(at, end))) batch.refuse('it is not UTF-8', block.toString('utf8', at, end), placeOf());
    else if (end > at) batch.take(block.toString(encoding, at, end), placeOf);
    at = found < 0 ? end : end + 1;
    line++;
  }
  return { byte: start.byte + at, line, atEnd: at >= block.length };
}

function refuseLong(bytes: Buffer, place: LinePlace, batch: LineBatch): void {
  batch.refuse(`it is longer than ${limits.recordBytesMax} bytes`, bytes.toString('utf8', 0, 4_096), place);
}

async function findLineEnd(text: TextBytes, chunk: Buffer, from: number): Promise<number> {
  for (let byte = from; ;) {
    const bytesRead = await text.read(chunk, byte);
    const found = chunk.subarray(0, bytesRead).indexOf(lineFeed);
    if (found >= 0) return byte + found + 1;
    if (bytesRead === 0) return byte;
    byte += bytesRead;
  }
}
