import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serializeThrowable, type ThrowableText } from '../../lib/api/serialized-throwable.ts';

/** What a Java reader sees: enough of the stream protocol for one object without back references. */
class JavaReader {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(base64: string) {
    this.#bytes = Buffer.from(base64, 'base64');
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  expect(...bytes: readonly number[]): void {
    for (const expected of bytes) {
      const byte = this.byte();
      if (byte !== expected) throw new Error(`byte ${this.#at - 1} is ${byte}, ${expected} was expected`);
    }
  }

  text(length = this.short()): string {
    const units: number[] = [];
    for (const end = this.#at + length; this.#at < end;) {
      const first = this.byte();
      if (first < 0x80) units.push(first);
      else if (first < 0xe0) units.push(((first & 0x1f) << 6) | (this.byte() & 0x3f));
      else units.push(((first & 0x0f) << 12) | ((this.byte() & 0x3f) << 6) | (this.byte() & 0x3f));
    }
    return units.map((unit) => String.fromCharCode(unit)).join('');
  }

  short(): number {
    return (this.byte() << 8) | this.byte();
  }

  long(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  string(): string {
    return this.byte() === 0x74 ? this.text() : this.text(Number(this.long()));
  }

  classDescription(): { name: string; uid: bigint; flags: number; fields: string[] } {
    this.expect(0x72);
    const [name, uid, flags] = [this.text(), this.long(), this.byte()];
    const fields = Array.from({ length: this.short() }, () => {
      this.byte();
      return [this.text(), this.string()].join(':');
    });
    this.expect(0x78);
    return { name, uid, flags, fields };
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }
}

function read(base64: string): { readonly classes: readonly unknown[]; readonly throwable: ThrowableText } {
  const reader = new JavaReader(base64);
  reader.expect(0xac, 0xed, 0, 5, 0x73);
  const classes = [reader.classDescription(), reader.classDescription(), reader.classDescription()];
  reader.expect(0x70, 0x70);
  const message = reader.string();
  reader.expect(0x70, 0x70, 0x78);
  const [stackTrace, className] = [reader.string(), reader.string()];
  reader.expect(0x70);
  if (reader.left > 0 || !message.startsWith(`${className}: `)) throw new Error(`${reader.left} bytes are left after ${message}`);
  return { classes, throwable: { className, message: message.slice(className.length + 2), stackTrace } };
}

describe('a serialized throwable', () => {
  test('is a Java object stream that gives the three texts back, whatever is in them', () => {
    const text = fc.string({ unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), text, text, (className, message, stackTrace) => {
        const throwable = { className, message, stackTrace };
        expect(read(serializeThrowable(throwable)).throwable).toEqual(throwable);
      }),
      { numRuns: 200 },
    );
  });

  test('describes the classes that a Flink client has, by name, number and fields', () => {
    expect(read(serializeThrowable({ className: 'C', message: 'm', stackTrace: 's' })).classes).toEqual([
      {
        name: 'org.apache.flink.util.SerializedThrowable',
        uid: 7284183123441947635n,
        flags: 2,
        fields: ['fullStringifiedStackTrace:Ljava/lang/String;', 'originalErrorClassName:Ljava/lang/String;', 'serializedException:[B'],
      },
      { name: 'java.lang.Exception', uid: -3387516993124229948n, flags: 2, fields: [] },
      {
        name: 'java.lang.Throwable',
        uid: -3042686055658047285n,
        flags: 3,
        fields: [
          'cause:Ljava/lang/Throwable;',
          'detailMessage:Ljava/lang/String;',
          'stackTrace:[Ljava/lang/StackTraceElement;',
          'suppressedExceptions:Ljava/util/List;',
        ],
      },
    ]);
  });

  test('takes stack traces that are longer than a short Java string', () => {
    const throwable = { className: 'C', message: 'm', stackTrace: 'é'.repeat(40_000) };
    expect(read(serializeThrowable(throwable)).throwable).toEqual(throwable);
  });

  test('begins as what a Flink 2.3 cluster sends', () => {
    // The first 99 bytes of a recorded failure cause: stream, object, class, its number and its first field.
    const recorded =
      'rO0ABXNyAClvcmcuYXBhY2hlLmZsaW5rLnV0aWwuU2VyaWFsaXplZFRocm93YWJsZWUWnfUfpxPzAgADTAAZZnVsbFN0cmluZ2lmaWVkU3RhY2tUcmFjZXQAEkxqYXZhL2xhbmcvU3Ry';
    expect(serializeThrowable({ className: 'C', message: 'm', stackTrace: 's' }).startsWith(recorded)).toBe(true);
  });
});
