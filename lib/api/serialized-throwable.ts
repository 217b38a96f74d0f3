/**
 * A failure as Flink's Java client reads it: the bytes of a Java-serialized `org.apache.flink.util.SerializedThrowable`, in base64. The client takes
 * nothing else of a failure cause, and ends in a NullPointerException where it is missing.
 *
 * Written by hand after the Java Object Serialization Stream Protocol: one object, its class and two superclasses, every class described in full.
 */
export interface ThrowableText {
  /** Name of the Java class that the client shows. */
  readonly className: string;
  readonly message: string;
  /** First line `class: message`, then causes and frames. */
  readonly stackTrace: string;
}

const streamStart = [0xac, 0xed, 0x00, 0x05];
const tcNull = [0x70];
const tcClassDescription = 0x72;
const tcObject = 0x73;
const tcString = 0x74;
const tcLongString = 0x7c;
const tcEndBlockData = [0x78];

/** Class flags: serializable, and serializable with a `writeObject` of its own, which an end mark follows. */
const serializable = 0x02;
const serializableWithWriteMethod = 0x03;

interface ClassDescription {
  readonly name: string;
  readonly serialVersionUid: bigint;
  readonly flags: number;
  /** All fields are references here; in the order of the stream. */
  readonly fields: readonly (readonly [name: string, type: string])[];
}

const text = 'Ljava/lang/String;';

/** Superclasses last in the description, first in the data. */
const classes: readonly ClassDescription[] = [
  {
    name: 'org.apache.flink.util.SerializedThrowable',
    serialVersionUid: 7284183123441947635n,
    flags: serializable,
    fields: [
      ['fullStringifiedStackTrace', text],
      ['originalErrorClassName', text],
      ['serializedException', '[B'],
    ],
  },
  { name: 'java.lang.Exception', serialVersionUid: -3387516993124229948n, flags: serializable, fields: [] },
  {
    name: 'java.lang.Throwable',
    serialVersionUid: -3042686055658047285n,
    flags: serializableWithWriteMethod,
    fields: [
      ['cause', 'Ljava/lang/Throwable;'],
      ['detailMessage', text],
      ['stackTrace', '[Ljava/lang/StackTraceElement;'],
      ['suppressedExceptions', 'Ljava/util/List;'],
    ],
  },
];

/** Base64 of the stream. */
export function serializeThrowable({ className, message, stackTrace }: ThrowableText): string {
  return Buffer.concat([
    Buffer.from([...streamStart, tcObject]),
    ...classes.map(classDescription),
    Buffer.from(tcNull),
    // Throwable: cause, detailMessage, stackTrace, suppressedExceptions. Flink's own message is `class: message`.
    Buffer.from(tcNull),
    stringObject(`${className}: ${message}`),
    Buffer.from([...tcNull, ...tcNull, ...tcEndBlockData]),
    // SerializedThrowable; the original exception is not sent, because no class of ours is on the client's path.
    stringObject(stackTrace),
    stringObject(className),
    Buffer.from(tcNull),
  ]).toString('base64');
}

function classDescription({ name, serialVersionUid, flags, fields }: ClassDescription): Buffer {
  const head = Buffer.alloc(8);
  head.writeBigInt64BE(serialVersionUid);
  const counts = Buffer.from([flags, fields.length >> 8, fields.length & 0xff]);
  const described = fields.flatMap(([field, type]) => [Buffer.from(type[0]!, 'ascii'), utf(field), stringObject(type)]);
  return Buffer.concat([Buffer.from([tcClassDescription]), utf(name), head, counts, ...described, Buffer.from(tcEndBlockData)]);
}

function stringObject(value: string): Buffer {
  const bytes = modifiedUtf8(value);
  if (bytes.length <= 0xffff) return Buffer.concat([Buffer.from([tcString]), lengthOf(bytes), bytes]);
  const head = Buffer.alloc(9);
  head[0] = tcLongString;
  head.writeBigUInt64BE(BigInt(bytes.length), 1);
  return Buffer.concat([head, bytes]);
}

function utf(value: string): Buffer {
  const bytes = modifiedUtf8(value);
  return Buffer.concat([lengthOf(bytes), bytes]);
}

function lengthOf(bytes: Buffer): Buffer {
  return Buffer.from([bytes.length >> 8, bytes.length & 0xff]);
}

/** Java's own UTF-8: zero in two bytes, and every UTF-16 unit for itself. */
function modifiedUtf8(value: string): Buffer {
  const bytes: number[] = [];
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    if (unit > 0 && unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from(bytes);
}
