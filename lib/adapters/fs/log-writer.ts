/** Appends to one generation of the log, and marks what is on disk (log-format.ts, LF1). */
import { type FileHandle, open } from 'node:fs/promises';
import { encodeHead, encodeMark, markAt, type LogContent, type LogHead, type MarkPlace } from './log-format.ts';

/** The operating system takes so many buffers at a time (IOV_MAX). */
const buffersPerWrite = 1_024;

export class LogWriter {
  readonly #file: FileHandle;
  readonly #checksum: number;
  #at: number;
  #nextMark: MarkPlace;

  private constructor(file: FileHandle, state: { readonly at: number; readonly checksum: number; readonly nextMark: MarkPlace }) {
    this.#file = file;
    this.#at = state.at;
    this.#checksum = state.checksum;
    this.#nextMark = state.nextMark;
  }

  /** A new file, synced; what it begins with is marked in its head. */
  static async create(path: string, head: LogHead, entries: readonly Buffer[]): Promise<LogWriter> {
    const { bytes, checksum } = encodeHead(head, bytesOf(entries));
    const writer = new LogWriter(await open(path, 'w'), { at: 0, checksum, nextMark: 1 });
    return writer.#begin(async () => {
      await writer.write([bytes, ...entries]);
      await writer.#file.sync();
    });
  }

  /**
   * Cuts off what is behind the last whole entry, and syncs: after a kill the last entries may be in the page cache only, and what was cut off must
   * not come back behind new ones.
   */
  static async resume(path: string, { end, checksum, newestMark }: LogContent): Promise<LogWriter> {
    const writer = new LogWriter(await open(path, 'r+'), { at: end, checksum, nextMark: newestMark === 0 ? 1 : 0 });
    return writer.#begin(async () => {
      await writer.#file.truncate(end);
      await writer.#file.sync();
      await writer.#mark();
    });
  }

  async #begin(work: () => Promise<void>): Promise<LogWriter> {
    try {
      await work();
      return this;
    } catch (error) {
      await this.#file.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#at;
  }

  async write(buffers: readonly Buffer[]): Promise<void> {
    for (let from = 0; from < buffers.length; from += buffersPerWrite) {
      const part = buffers.slice(from, from + buffersPerWrite);
      const size = bytesOf(part);
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

  async sync(): Promise<void> {
    await this.#file.datasync();
    await this.#mark();
  }

  /** Reaches the disk with the next sync, or when the operating system likes; a kill does not take it back. */
  async #mark(): Promise<void> {
    const mark = encodeMark(this.#at, this.#checksum);
    await this.#file.write(mark, 0, mark.length, markAt(this.#nextMark));
    this.#nextMark = this.#nextMark === 0 ? 1 : 0;
  }

  /** The last mark too is on disk then. */
  async close(): Promise<void> {
    try {
      await this.#file.datasync();
    } finally {
      await this.#file.close();
    }
  }
}

function bytesOf(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}
