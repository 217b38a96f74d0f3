/** Bodies are bytes, SQS takes text: base64 (docs/adr has what denser codes would save). */
export function textOfBody(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64');
}

/** Undefined where the text is no base64: Node skips what does not belong there, and then something is missing. */
export function bodyOfText(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === (text.length / 4) * 3 - padding ? bytes : undefined;
}
