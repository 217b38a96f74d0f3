/**
 * MurmurHash3, x86 32-bit variant (Austin Appleby, public domain), seed 0, over the UTF-8 bytes of a string, and Flink's
 * own finalizer over an int (`MathUtils.murmurHash`), by which Flink turns a key's hash into a key group.
 * Both return non-negative 32-bit integers.
 */
const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

const encoder = new TextEncoder();

function mixBlock(hash: number, block: number): number {
  let k = Math.imul(block, C1);
  k = (k << 15) | (k >>> 17);
  let h = hash ^ Math.imul(k, C2);
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

function mixTail(hash: number, tail: number): number {
  let k = Math.imul(tail, C1);
  k = (k << 15) | (k >>> 17);
  return hash ^ Math.imul(k, C2);
}

function finish(hash: number, length: number): number {
  let h = hash ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function murmur3Bytes(bytes: Uint8Array): number {
  const { length } = bytes;
  const blocksEnd = length - (length % 4);
  let h = 0;
  for (let i = 0; i < blocksEnd; i += 4) {
    h = mixBlock(h, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  let tail = 0;
  for (let i = length - 1; i >= blocksEnd; i--) tail = (tail << 8) | bytes[i]!;
  if (length > blocksEnd) h = mixTail(h, tail);
  return finish(h, length) >>> 0;
}

/** Hash of a string's UTF-8 bytes. ASCII, by far the most frequent, is hashed without encoding it first. */
export function murmur3(text: string): number {
  const { length } = text;
  const blocksEnd = length - (length % 4);
  let h = 0;
  let seen = 0;
  for (let i = 0; i < blocksEnd; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    seen |= a | b | c | d;
    h = mixBlock(h, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let i = length - 1; i >= blocksEnd; i--) {
    const unit = text.charCodeAt(i);
    seen |= unit;
    tail = (tail << 8) | unit;
  }
  if (seen > 0x7f) return murmur3Bytes(encoder.encode(text));
  if (length > blocksEnd) h = mixTail(h, tail);
  return finish(h, length) >>> 0;
}

/** Flink's `MathUtils.murmurHash(int)`: one block, length 4, made non-negative as there. */
export function flinkMurmurHash(code: number): number {
  const h = finish(mixBlock(0, code | 0), 4) | 0;
  if (h >= 0) return h;
  return h === -0x80000000 ? 0 : -h;
}
