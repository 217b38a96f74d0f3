/**
 * Documents as bytes: value-json text of a value that its shape has brought into order. Equal documents have equal bytes.
 * Every document begins with a format number; a newer one is refused by name, before anything else is looked at.
 */
import { SluiceError } from '../base/errors.ts';
import { decodeValue, encodeValue } from '../model/value-json.ts';
import { readShape, type Shape } from './shape.ts';

export interface DocumentKind<T> {
  /** For people: `a manifest`. */
  readonly name: string;
  readonly format: number;
  readonly shape: Shape<T>;
  readonly corruptCode: string;
}

/** @throws SluiceError with the kind's code where the value does not fit its own shape (the pair of the check at reading) */
export function encodeDocument<T>(kind: DocumentKind<T>, value: T): Uint8Array {
  return Buffer.from(encodeValue(readShape(kind.shape, value, kind.corruptCode, kind.name)), 'utf8');
}

/** @throws SluiceError with the kind's code, or `SLUICE-FORMAT-NEWER` */
export function decodeDocument<T>(kind: DocumentKind<T>, bytes: Uint8Array, where: string): T {
  const what = `${kind.name} ${where}`;
  const value = parse(bytes, kind, what);
  refuseNewer(value, kind.format, what);
  return readShape(kind.shape, value, kind.corruptCode, what);
}

function parse<T>(bytes: Uint8Array, kind: DocumentKind<T>, what: string): unknown {
  try {
    return decodeValue(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    throw new SluiceError(kind.corruptCode, `${what} is not readable: ${String(error)}`, {
      hint: 'It was damaged or changed by hand. Use another checkpoint or savepoint.',
      facts: { what },
      cause: error,
    });
  }
}

function refuseNewer(value: unknown, supported: number, what: string): void {
  const format = (value as { readonly format?: unknown } | null)?.format;
  if (typeof format !== 'number' || format <= supported) return;
  throw new SluiceError('SLUICE-FORMAT-NEWER', `${what} has format ${format}, this version reads up to ${supported}`, {
    hint: 'Use the version of Sluice that wrote it, or a newer one.',
    facts: { what, format, supported },
  });
}
