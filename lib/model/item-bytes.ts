/** What DynamoDB counts as the size of an item: names and values. Numbers are rounded up by a byte at most. */
export interface SizedAttribute {
  readonly S?: string | undefined;
  readonly N?: string | undefined;
  readonly B?: Uint8Array | undefined;
  readonly L?: readonly SizedAttribute[] | undefined;
  readonly M?: Readonly<Record<string, SizedAttribute>> | undefined;
  readonly SS?: readonly string[] | undefined;
  readonly NS?: readonly string[] | undefined;
  readonly BS?: readonly Uint8Array[] | undefined;
  readonly BOOL?: boolean | undefined;
  readonly NULL?: boolean | undefined;
}

export function attributesBytes(item: Readonly<Record<string, SizedAttribute>>): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + attributeBytes(value);
  return bytes;
}

const containerBytes = 3;

export function attributeBytes(value: SizedAttribute): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.B !== undefined) return value.B.length;
  if (value.L !== undefined) return value.L.reduce((bytes, item) => bytes + 1 + attributeBytes(item), containerBytes);
  if (value.M !== undefined) return attributesBytes(value.M) + Object.keys(value.M).length + containerBytes;
  if (value.SS !== undefined) return value.SS.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0);
  if (value.NS !== undefined) return value.NS.reduce((bytes, number) => bytes + numberBytes(number), 0);
  if (value.BS !== undefined) return value.BS.reduce((bytes, binary) => bytes + binary.length, 0);
  return 1;
}

/** Two significant digits a byte, and one more. */
function numberBytes(text: string): number {
  const digits = text.replace(/^-?0*|[.eE+-]/g, '').replace(/0+$/, '').length;
  return Math.ceil(digits / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}
