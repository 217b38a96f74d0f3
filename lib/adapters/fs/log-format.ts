/**
 * One generation of the log as bytes (docs/formats/log.md): a header, two marks, then entries with length and checksum.
 *
 * LF1. A mark says how much of the file is on disk. It is written after every sync, to the two places in turn: the one before stays until the next is
 *      on disk itself.
 * LF2. What the newest mark covers was told to somebody. It must be whole; anything else is damage, and the file is refused.
 * LF3. Behind it stands what was being written when the process or the machine stopped. Its whole entries count; from the first other byte on it is
 *      dropped, whatever stands there: a power loss may leave out any sector that was not synced.
 */
import { crc32 } from 'node:zlib';
import { SluiceError } from '../../base/errors.ts';

export interface LogHead {
  /** Number of the first entry. */
  readonly firstEntry: number;
  /** The base has the writes up to this entry, durably: this file does not repeat them. */
  readonly baseEntry: number;
}

export interface LogContent extends LogHead {
  readonly entries: readonly Uint8Array[];
  /** Where the entries end that the file began with: the state at that time. */
  readonly beginBytes: number;
  /** Where the last whole entry ends, and how much is behind it. */
  readonly end: number;
  readonly tornBytes: number;
  readonly newestMark: MarkPlace;
  readonly checksum: number;
}

/** Which of the two marks. */
export type MarkPlace = 0 | 1;

const magic = Buffer.from('SLUICELG', 'latin1');
const formatVersion = 2;
/** Magic, format version, first entry, entry of the base, bytes it began with. Each mark's checksum covers them too. */
const headerBytes = magic.length + 4 + 8 + 8 + 8;
/** Header and marks are pages of their own: a sector that is lost while one is written takes nothing else with it. */
const pageBytes = 4096;
const entriesFrom = 3 * pageBytes;
const frameBytes = 8;
const markBytes = 12;

/** Header and first mark of a file that will begin with so many bytes of entries. */
export function encodeHead(
  { firstEntry, baseEntry }: LogHead,
  entriesBytes: number,
): { readonly bytes: Buffer; readonly checksum: number } {
  const bytes = Buffer.alloc(entriesFrom);
  magic.copy(bytes);
  bytes.writeUInt32LE(formatVersion, 8);
  bytes.writeBigUInt64LE(BigInt(firstEntry), 12);
  bytes.writeBigUInt64LE(BigInt(baseEntry), 20);
  bytes.writeBigUInt64LE(BigInt(entriesFrom + entriesBytes), 28);
  const checksum = crc32(bytes.subarray(0, headerBytes));
  encodeMark(entriesFrom + entriesBytes, checksum).copy(bytes, markAt(0));
  return { bytes, checksum };
}

/** `checksum` is that of the file's header: a broken header, or the mark of another file, leaves no valid mark. */
export function encodeMark(syncedBytes: number, checksum: number): Buffer {
  const mark = Buffer.alloc(markBytes);
  mark.writeBigUInt64LE(BigInt(syncedBytes), 0);
  mark.writeUInt32LE(crc32(mark.subarray(0, 8), checksum), 8);
  return mark;
}

export function markAt(place: MarkPlace): number {
  return pageBytes * (1 + place);
}

/** The parts of one entry, framed. */
export function frame(parts: readonly Buffer[]): Buffer[] {
  const head = Buffer.allocUnsafe(frameBytes);
  let length = 0;
  let crc = 0;
  for (const part of parts) {
    length += part.length;
    crc = crc32(part, crc);
  }
  head.writeUInt32LE(length, 0);
  head.writeUInt32LE(crc, 4);
  return [head, ...parts];
}

/** @throws SluiceError `SLUICE-LOG-DAMAGED`, `SLUICE-FORMAT-NEWER`, `SLUICE-FORMAT-OLDER` */
export function readLog(path: string, bytes: Buffer): LogContent {
  const { checksum, ...head } = readHead(path, bytes);
  const { syncedBytes, newestMark } = readMarks(path, bytes, checksum);
  const entries: Uint8Array[] = [];
  let end = entriesFrom;
  for (let entry = readEntry(bytes, end); entry !== undefined; entry = readEntry(bytes, end)) {
    entries.push(entry);
    end += frameBytes + entry.length;
  }
  const mustReach = Math.max(syncedBytes, head.beginBytes);
  if (end < mustReach) throw damaged(path, end, `it was on disk up to byte ${mustReach}, and the entry here is broken or cut off`);
  return { ...head, checksum, entries, end, tornBytes: bytes.length - end, newestMark };
}

function readHead(path: string, bytes: Buffer): Omit<LogContent, 'entries' | 'end' | 'tornBytes' | 'newestMark'> {
  if (!bytes.subarray(0, magic.length).equals(magic) || bytes.length < magic.length + 4)
    throw damaged(path, 0, 'it is not a log of Sluice');
  const version = bytes.readUInt32LE(magic.length);
  if (version !== formatVersion) throw otherFormat(path, version);
  if (bytes.length < entriesFrom) throw damaged(path, bytes.length, 'it ends within its header');
  const checksum = crc32(bytes.subarray(0, headerBytes));
  const field = (at: number): number => Number(bytes.readBigUInt64LE(at));
  return { firstEntry: field(12), baseEntry: field(20), beginBytes: field(28), checksum };
}

/** One may be broken: that which was being written. */
function readMarks(path: string, bytes: Buffer, checksum: number): { readonly syncedBytes: number; readonly newestMark: MarkPlace } {
  const [first, second] = ([0, 1] as const).map((place) => {
    const at = markAt(place);
    const syncedBytes = Number(bytes.readBigUInt64LE(at));
    return bytes.subarray(at, at + markBytes).equals(encodeMark(syncedBytes, checksum)) ? syncedBytes : -1;
  }) as [number, number];
  if (first < 0 && second < 0) throw damaged(path, 0, 'its header is broken, or both marks of what was on disk are');
  return first >= second ? { syncedBytes: first, newestMark: 0 } : { syncedBytes: second, newestMark: 1 };
}

function readEntry(bytes: Buffer, at: number): Uint8Array | undefined {
  if (at + frameBytes > bytes.length) return undefined;
  const length = bytes.readUInt32LE(at);
  const start = at + frameBytes;
  if (length === 0 || start + length > bytes.length) return undefined;
  const entry = bytes.subarray(start, start + length);
  return crc32(entry) === bytes.readUInt32LE(at + 4) ? entry : undefined;
}

function otherFormat(path: string, version: number): SluiceError {
  const [code, hint] =
    version > formatVersion
      ? ['SLUICE-FORMAT-NEWER', 'Use the version of Sluice that wrote the data directory, or a newer one.']
      : [
          'SLUICE-FORMAT-OLDER',
          'Take a savepoint with the version of Sluice that wrote the data directory, and start from it in an empty one.',
        ];
  return new SluiceError(code, `the log ${path} has format ${version}, this version reads ${formatVersion}`, {
    hint,
    facts: { path, version, supported: formatVersion },
  });
}

function damaged(path: string, at: number, problem: string): SluiceError {
  return new SluiceError('SLUICE-LOG-DAMAGED', `the log ${path} is damaged at byte ${at}: ${problem}`, {
    hint: 'Restore the data directory from a copy, or start from a savepoint in an empty one.',
    facts: { path, at, problem },
  });
}
