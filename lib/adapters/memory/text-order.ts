/**
 * The order of texts in every base: by code point, which is the order of UTF-8 bytes and so that of SQLite and DynamoDB. JavaScript's own `<` differs
 * for surrogate pairs.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    const leftIsPair = left >= 0xd800 && left <= 0xdfff;
    const rightIsPair = right >= 0xd800 && right <= 0xdfff;
    // A pair stands for a code point above all single units.
    return leftIsPair === rightIsPair ? left - right : leftIsPair ? 1 : -1;
  }
  return a.length - b.length;
}
