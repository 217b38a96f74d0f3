/**
 * One generation of the log on disk: a header, then entries, each with its length and CRC-32 in front.
 *
 * LF1. Entries are written in the order of their appending; one write and one sync serve all that came since the last.
 * LF2. A torn tail, which a kill or a power loss leaves, is cut off at the next start. Damage before a whole entry is refused: something else changed the file.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { SluiceError } from '../../base/errors.ts';

const magic = Buffer.from('SLUICELG', 'latin1');
const formatVersion = 1;
/** Magic, format version, number of the first entry. */
const headerBytes = magic.length + 4 + 8;
const frameBytes = 8;

export interface LogContent {
  readonly firstEntry: number;
  readonly entries: readonly Uint8Array[];
  /** Where the last whole entry ends, and what was behind it. */
  readonly end: number;
  readonly tornBytes: number;
}

export function encodeHeader(firstEntry: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt32LE(formatVersion, magic.length);
  header.writeBigUInt64LE(BigInt(firstEntry), magic.length + 4);
  return header;
}

/** The parts of one entry, framed. */
export function frame(parts: readonly Buffer[]): Buffer[] {
  const head = Buffer.allocUnsafe(frameBytes);
  let length = 0;
  let crc = 0;
  for (const part of parts) {
    length += part.length;
    crc = crc32(part, crc);
  }
  head.writeUInt32LE(length, 0);
  head.writeUInt32LE(crc, 4);
  return [head, ...parts];
}

/** @throws SluiceError `SLUICE-LOG-DAMAGED`, `SLUICE-FORMAT-NEWER` */
export function readLog(path: string, bytes: Buffer): LogContent {
  if (bytes.length < headerBytes || !bytes.subarray(0, magic.length).equals(magic)) throw damaged(path, 0, 'it is not a log of Sluice');
  const version = bytes.readUInt32LE(magic.length);
  if (version > formatVersion) {
    throw new SluiceError('SLUICE-FORMAT-NEWER', `the log ${path} has format ${version}, this version reads up to ${formatVersion}`, {
      hint: 'Use the version of Sluice that wrote the data directory, or a newer one.',
      facts: { path, version, supported: formatVersion },
    });
  }
  const entries: Uint8Array[] = [];
  let at = headerBytes;
  while (at < bytes.length) {
    const entry = readEntry(bytes, at);
    if (entry === undefined) break;
    entries.push(entry);
    at += frameBytes + entry.length;
  }
  if (wholeEntryBehind(bytes, at)) throw damaged(path, at, 'an entry is broken and whole ones follow it');
  return { firstEntry: Number(bytes.readBigUInt64LE(magic.length + 4)), entries, end: at, tornBytes: bytes.length - at };
}

function readEntry(bytes: Buffer, at: number): Uint8Array | undefined {
  if (at + frameBytes > bytes.length) return undefined;
  const length = bytes.readUInt32LE(at);
  const start = at + frameBytes;
  if (length === 0 || start + length > bytes.length) return undefined;
  const entry = bytes.subarray(start, start + length);
  return crc32(entry) === bytes.readUInt32LE(at + 4) ? entry : undefined;
}

/** A torn tail is the end of what was being written: nothing whole can come after the place where its broken entry would end. */
function wholeEntryBehind(bytes: Buffer, at: number): boolean {
  if (at + frameBytes > bytes.length) return false;
  const next = at + frameBytes + bytes.readUInt32LE(at);
  return next < bytes.length && readEntry(bytes, next) !== undefined;
}

function damaged(path: string, at: number, problem: string): SluiceError {
  return new SluiceError('SLUICE-LOG-DAMAGED', `the log ${path} is damaged at byte ${at}: ${problem}`, {
    hint: 'Restore the data directory from a copy, or start from a savepoint in an empty one.',
    facts: { path, at, problem },
  });
}

/** Appends to an open generation. */
export class LogWriter {
  readonly #file: FileHandle;
  #at: number;

  private constructor(file: FileHandle, at: number) {
    this.#file = file;
    this.#at = at;
  }

  /** Cuts off whatever is behind `end`. */
  static async resume(path: string, end: number): Promise<LogWriter> {
    const file = await open(path, 'r+');
    await file.truncate(end);
    return new LogWriter(file, end);
  }

  static async create(path: string, content: readonly Buffer[]): Promise<LogWriter> {
    const writer = new LogWriter(await open(path, 'w'), 0);
    await writer.write(content);
    await writer.sync();
    return writer;
  }

  get bytes(): number {
    return this.#at;
  }

  async write(buffers: readonly Buffer[]): Promise<void> {
    for (let from = 0; from < buffers.length; from += buffersPerWrite) {
      const part = buffers.slice(from, from + buffersPerWrite);
      const size = part.reduce((sum, { length }) => sum + length, 0);
      const { bytesWritten } = await this.#file.writev(part, this.#at);
      if (bytesWritten !== size) await this.#writeRest(Buffer.concat(part).subarray(bytesWritten), this.#at + bytesWritten);
      this.#at += size;
    }
  }

  async #writeRest(rest: Buffer, at: number): Promise<void> {
    for (let done = 0; done < rest.length;) {
      const { bytesWritten } = await this.#file.write(rest, done, rest.length - done, at + done);
      done += bytesWritten;
    }
  }

  sync(): Promise<void> {
    return this.#file.datasync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** The operating system takes so many at a time (IOV_MAX). */
const buffersPerWrite = 1_024;
