/** The order of keys in DynamoDB: by UTF-8 bytes, which is the order of code points. JavaScript's own `<` differs for surrogate pairs. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === length) return a.length - b.length;
  return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

/** A surrogate stands for a code point above all single units. Keys are well-formed (key-text.ts, KT2). */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
