import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flinkMurmurHash, murmur3 } from '../../lib/base/murmur3.ts';

/** Published vectors of MurmurHash3_x86_32 with seed 0. */
const published: readonly (readonly [text: string, hash: number])[] = [
  ['', 0x00000000],
  ['\0', 0x514e28b7],
  ['\0\0', 0x30f4c306],
  ['\0\0\0', 0x85f0b427],
  ['\0\0\0\0', 0x2362f9de],
  ['!', 0x72661cf4],
  ['!C', 0xa0f7b07a],
  ['!Ce', 0x7e4a8634],
  ['a', 0x3c2569b2],
  ['abc', 0xb3dd93fa],
  ['foo', 0xf6a5c420],
  ['test', 0xba6bd213],
  ['hello', 0x248bfa47],
  ['hello, world', 0x149bbb7f],
  ['Hello, world!', 0xc0363e43],
  ['19 Jan 2038 at 3:14:07 AM', 0xe31e8a70],
  ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  ['The quick brown fox jumps over the lazy dog.', 0xd5c48bfc],
];

const mask = 0xffff_ffffn;
const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & mask;

/** The algorithm a second time, written for plainness: big integers over bytes. */
function plainMurmur3(bytes: Uint8Array): number {
  const scramble = (k: bigint): bigint => (rotate((k * 0xcc9e2d51n) & mask, 15n) * 0x1b873593n) & mask;
  let hash = 0n;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const block = BigInt(Buffer.from(bytes).readUInt32LE(at));
    hash = (rotate(hash ^ scramble(block), 13n) * 5n + 0xe6546b64n) & mask;
  }
  let tail = 0n;
  for (let i = bytes.length - 1; i >= at; i--) tail = (tail << 8n) | BigInt(bytes[i]!);
  if (bytes.length > at) hash ^= scramble(tail);
  hash ^= BigInt(bytes.length);
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & mask;
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & mask;
  return Number(hash ^ (hash >> 16n));
}

describe('murmur3', () => {
  test.each(published)('hashes %j as published', (text, hash) => {
    expect(murmur3(text)).toBe(hash);
    expect(plainMurmur3(Buffer.from(text, 'utf8'))).toBe(hash);
  });

  test('hashes the UTF-8 bytes of any text, ASCII or not, of any length', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'binary-ascii', maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(murmur3(text)).toBe(plainMurmur3(new TextEncoder().encode(text)));
      }),
      { numRuns: 2_000 },
    );
  });

  test('sees the one character that is not ASCII wherever it stands', () => {
    for (let length = 1; length <= 9; length++) {
      for (let at = 0; at < length; at++) {
        const text = 'a'.repeat(at) + 'ü' + 'a'.repeat(length - at - 1);
        expect(murmur3(text), text).toBe(plainMurmur3(Buffer.from(text, 'utf8')));
      }
    }
  });
});

describe("Flink's finalizer", () => {
  /** `MathUtils.murmurHash(int)` of Flink, a second time in big integers. */
  function plainFlink(code: number): number {
    let hash = BigInt(code >>> 0);
    hash = (rotate((hash * 0xcc9e2d51n) & mask, 15n) * 0x1b873593n) & mask;
    hash = (rotate(hash, 13n) * 5n + 0xe6546b64n) & mask;
    hash ^= 4n;
    hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & mask;
    hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & mask;
    const signed = BigInt.asIntN(32, hash ^ (hash >> 16n));
    return signed === -0x8000_0000n ? 0 : Math.abs(Number(signed));
  }

  test('is the same over every kind of integer', () => {
    const codes = fc.oneof(
      fc.integer(),
      fc.nat(),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.constantFrom(0, -1, 0x7fff_ffff, -0x8000_0000),
    );
    fc.assert(
      fc.property(codes, (code) => {
        expect(flinkMurmurHash(code)).toBe(plainFlink(code));
      }),
      { numRuns: 2_000 },
    );
  });

  test('is never negative, not even for the one hash that has no positive counterpart', () => {
    // The finalizer can be run backwards, so the input that hashes to -2^31 is known.
    const worst = codeThatHashesTo(-0x8000_0000);
    expect(plainFlink(worst)).toBe(0);
    expect(flinkMurmurHash(worst)).toBe(0);
  });
});

function codeThatHashesTo(hash: number): number {
  const inverse = (odd: bigint): bigint => {
    let x = 1n;
    for (let i = 0; i < 6; i++) x = (x * (2n - odd * x)) & mask;
    return x & mask;
  };
  const unxor = (value: bigint, by: bigint): bigint => {
    let result = value;
    for (let done = by; done < 32n; done += by) result = value ^ (result >> by);
    return result;
  };
  let h = BigInt(hash >>> 0);
  h = (unxor(h, 16n) * inverse(0xc2b2ae35n)) & mask;
  h = (unxor(h, 13n) * inverse(0x85ebca6bn)) & mask;
  h = unxor(h, 16n) ^ 4n;
  h = ((h - 0xe6546b64n) * inverse(5n)) & mask;
  h = rotate(h, 19n);
  h = (h * inverse(0x1b873593n)) & mask;
  h = rotate(h, 17n);
  return Number(BigInt.asIntN(32, (h * inverse(0xcc9e2d51n)) & mask));
}
