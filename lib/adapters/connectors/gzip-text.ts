/**
 * The text of a gzip file, read forwards from any of its bytes.
 *
 * Owns: the running decompressor, and the text that it has brought and that may still be asked for.
 * Does not own: lines and positions.
 *
 * GT1. A gzip file can be begun at its start only: cold, what lies before the place is decompressed and dropped. One that is kept goes on where it is.
 * GT2. Text is kept until `forget`, so that a call may begin again where the last one stopped taking.
 * GT3. A file that breaks off is refused: its text is never taken for all there is.
 */
import { finished } from 'node:stream/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { errorMessage, SluiceError } from '../../base/errors.ts';
import { inputCorrupt } from './input-file.ts';
import type { InputFile } from './input-files.ts';

/** Compressed, at a time: it can become a thousand times as much. */
const pieceBytes = 32_768;
const textBytes = 262_144;

interface Piece {
  readonly from: number;
  readonly text: Buffer;
}

export class GzipText {
  readonly #gunzip: Gunzip;
  #pieces: Piece[] = [];
  /** Text before `begin` is gone, text before `end` is decompressed. */
  #begin = 0;
  #end = 0;
  #compressedAt = 0;
  #hasEnded = false;
  /** Of the write that is under way. */
  #fail: (error: unknown) => void = () => undefined;

  constructor() {
    this.#gunzip = createGunzip({ chunkSize: textBytes });
    this.#gunzip.on('data', (text: Buffer) => {
      this.#pieces.push({ from: this.#end, text });
      this.#end += text.length;
    });
    // The decompressor does not call back a write that it fails at.
    this.#gunzip.on('error', (error) => this.#fail(error));
  }

  /** Whether text from there on can still come from here. */
  reaches(at: number): boolean {
    return at >= this.#begin;
  }

  /** Into `target` from byte `at` of the text on, as much as is at hand; 0 at the end. `file`: the same content in every call. */
  async read(file: InputFile, target: Buffer, at: number): Promise<number> {
    while (at >= this.#end && !this.#hasEnded) {
      await this.#unpack(file);
      if (at >= this.#end) this.forget(this.#end);
    }
    if (at > this.#end) throw inputCorrupt(file.path, `its text ends at byte ${this.#end}, before what was read of it`, { byte: at });
    let filled = 0;
    for (const { from, text } of this.#pieces) {
      const offset = at + filled - from;
      if (offset >= 0 && offset < text.length) filled += text.copy(target, filled, offset);
    }
    return filled;
  }

  forget(before: number): void {
    this.#begin = Math.max(this.#begin, Math.min(before, this.#end));
    this.#pieces = this.#pieces.filter(({ from, text }) => from + text.length > before);
  }

  close(): void {
    this.#gunzip.destroy();
  }

  async #unpack(file: InputFile): Promise<void> {
    const piece = Buffer.allocUnsafe(pieceBytes);
    const count = this.#compressedAt < file.bytes ? await file.read(piece, this.#compressedAt) : 0;
    this.#compressedAt += count;
    try {
      if (count > 0) return await this.#write(piece.subarray(0, count));
      this.#gunzip.end();
      await finished(this.#gunzip);
      this.#hasEnded = true;
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      const what = `it cannot be decompressed behind ${this.#end} bytes of text: ${errorMessage(error)}`;
      throw inputCorrupt(file.path, what, { byte: this.#end }, error);
    }
  }

  #write(piece: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#gunzip.write(piece, (error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
  }
}
