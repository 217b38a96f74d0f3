/** A growing byte buffer and its reader, little-endian. Owns: bounds checks of everything that is decoded. */
import { SluiceError } from '../base/errors.ts';
import { parseJson } from '../base/parse-json.ts';

export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 4096) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Makes room for `size` bytes and returns where they begin; the caller fills them through `bytes`. */
  reserve(size: number): number {
    const at = this.#length;
    const needed = at + size;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, at);
      this.#bytes = grown;
    }
    this.#length = needed;
    return at;
  }

  /** The buffer behind it: valid until the next `reserve`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  byte(value: number): void {
    const at = this.reserve(1);
    this.#bytes[at] = value;
  }

  uint32(value: number): void {
    const at = this.reserve(4);
    this.#bytes.writeUInt32LE(value, at);
  }

  float64(value: number): void {
    const at = this.reserve(8);
    this.#bytes.writeDoubleLE(value, at);
  }

  /** Length-prefixed UTF-8; the text must be well-formed. */
  text(value: string): void {
    const size = Buffer.byteLength(value, 'utf8');
    this.uint32(size);
    const at = this.reserve(size);
    this.#bytes.write(value, at, size, 'utf8');
  }

  raw(value: Uint8Array): void {
    const at = this.reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** The bytes written so far, without a copy: the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

export class ByteReader {
  readonly bytes: Buffer;
  #at: number;
  readonly #what: string;

  constructor(bytes: Uint8Array, what: string, at = 0) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
    this.#what = what;
  }

  get position(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.bytes.length - this.#at;
  }

  /** Skips `size` bytes and returns where they begin. Sizes come from what is read, so they may be anything. */
  take(size: number): number {
    const at = this.#at;
    if (!Number.isInteger(size) || size < 0) throw corrupt(this.#what, `a length of ${String(size)} bytes`);
    if (at + size > this.bytes.length) throw corrupt(this.#what, `ends ${at + size - this.bytes.length} bytes too early`);
    this.#at = at + size;
    return at;
  }

  byte(): number {
    return this.bytes[this.take(1)]!;
  }

  /** The next byte, which stays the next. */
  peek(): number | undefined {
    return this.bytes[this.#at];
  }

  uint32(): number {
    return this.bytes.readUInt32LE(this.take(4));
  }

  float64(): number {
    return this.bytes.readDoubleLE(this.take(8));
  }

  text(): string {
    const size = this.uint32();
    const at = this.take(size);
    return this.bytes.toString('utf8', at, at + size);
  }

  /** Text that is JSON. */
  json(): unknown {
    const text = this.text();
    try {
      return parseJson(text);
    } catch {
      throw corrupt(this.#what, 'what should be JSON is not');
    }
  }

  raw(size: number): Uint8Array {
    const at = this.take(size);
    return this.bytes.subarray(at, at + size);
  }

  /** A copy, aligned for typed arrays of any width. */
  copy(size: number): ArrayBuffer {
    const at = this.take(size);
    const out = new Uint8Array(size);
    out.set(this.bytes.subarray(at, at + size));
    return out.buffer;
  }
}

export function corrupt(what: string, problem: string): SluiceError {
  return new SluiceError('SLUICE-DATA-CORRUPT', `${what} is damaged: ${problem}`, {
    hint: 'The bytes were cut, changed, or written by a newer version. Restore from a checkpoint or savepoint that validates.',
    facts: { what, problem },
  });
}
