/**
 * JSON with object keys in UTF-16 order and no white space: equal values give equal text. For hashes, golden files and keys.
 * Numbers, strings and nesting as `JSON.stringify` writes them; lone surrogates come out as escapes, so that text is always well-formed.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, item]) => `${JSON.stringify(name)}:${canonicalJson(item)}`);
  return `{${entries.join(',')}}`;
}
