/** Every way in which a file can come back: flipped, cut off, with sectors that were never written. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { frame, readLog } from '../../../lib/adapters/fs/log-format.ts';
import { LogWriter } from '../../../lib/adapters/fs/log-writer.ts';
import { errorCode } from '../../../lib/base/errors.ts';
import { logHeadBytes } from './data-directories.ts';

/** The file when the entries of one flush were written; as it was last synced; and when that sync was marked. */
interface Flush {
  readonly written: Buffer;
  readonly onDisk: Buffer;
  readonly marked: Buffer;
  readonly entries: number;
}

const flushCount = 6;
let folder: string;
let all: readonly string[];
/** The first is the file as it was created. */
let flushes: readonly Flush[];

/** Long enough for several sectors, and alike: a whole entry behind a hole must not pass for the one that is missing. */
const textOf = (entry: number): string => `entry ${entry} `.repeat(20 + 45 * (entry % 3));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  const path = join(folder, 'log');
  const framed = (entry: number): Buffer[] => frame([Buffer.from(textOf(entry))]);
  let writer = await LogWriter.create(path, { firstEntry: 5, baseEntry: 3 }, [...framed(0), ...framed(1)]);
  const image = readFileSync(path);
  const made: Flush[] = [{ written: image, onDisk: image, marked: image, entries: 2 }];
  for (let entry = 2; made.length <= flushCount;) {
    const size = 1 + (made.length % 3);
    await writer.write(Array.from({ length: size }, () => framed(entry++)).flat());
    const written = readFileSync(path);
    await writer.sync();
    made.push({ written, onDisk: written, marked: readFileSync(path), entries: entry });
    if (made.length === 4) {
      await writer.close();
      const closed = readFileSync(path);
      made.push({ ...made.pop()!, onDisk: closed });
      writer = await LogWriter.resume(path, readLog(path, closed));
      made.push({ written: closed, onDisk: closed, marked: readFileSync(path), entries: entry });
    }
  }
  await writer.close();
  flushes = made;
  all = Array.from({ length: made.at(-1)!.entries }, (_, entry) => textOf(entry));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entriesOf = (bytes: Buffer): readonly string[] => readLog('the-log', bytes).entries.map((entry) => Buffer.from(entry).toString());
/** Entries read, or the code it was refused with. */
const outcomeOf = (bytes: Buffer): readonly string[] | string => {
  try {
    return entriesOf(bytes);
  } catch (error) {
    return errorCode(error) ?? String(error);
  }
};
/** The last flush is written, and its sync has not ended: nobody was told of it. */
const underWay = (): { readonly bytes: Buffer; readonly told: number; readonly toldBytes: number } => {
  const [before, last] = flushes.slice(-2) as [Flush, Flush];
  return { bytes: last.written, told: before.entries, toldBytes: before.written.length };
};

describe('a log', () => {
  test('is read as it was written, whichever mark is the newest', () => {
    for (const { marked, entries } of flushes) {
      expect(entriesOf(marked)).toEqual(all.slice(0, entries));
      expect(readLog('the-log', marked)).toMatchObject({ firstEntry: 5, baseEntry: 3, end: marked.length, tornBytes: 0 });
    }
  });

  test('with any byte changed is refused, or has at least everything that was told to somebody', () => {
    const { bytes, told, toldBytes } = underWay();
    for (const change of [0xff, 0x01, 0x80]) {
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= change;
        const outcome = outcomeOf(changed);
        if (at >= logHeadBytes && at < toldBytes) {
          if (outcome !== 'SLUICE-LOG-DAMAGED') expect.fail(`byte ${at} of what was told: ${String(outcome)}`);
        } else if (typeof outcome === 'string') {
          if (at >= toldBytes || !/^SLUICE-(?:LOG-DAMAGED|FORMAT-)/.test(outcome)) expect.fail(`byte ${at}: ${outcome}`);
        } else if (outcome.length < told || outcome.some((text, entry) => text !== all[entry])) {
          expect.fail(`byte ${at}: ${outcome.length} entries, ${told} were told`);
        }
      }
    }
  });

  test('cut off anywhere is refused, or has at least everything that was told to somebody', () => {
    const { bytes, told, toldBytes } = underWay();
    for (let cut = 0; cut < bytes.length; cut++) {
      const outcome = outcomeOf(bytes.subarray(0, cut));
      if (cut < toldBytes) expect(outcome, `cut at ${cut}`).toBe('SLUICE-LOG-DAMAGED');
      else if (typeof outcome === 'string' || outcome.length < told) expect.fail(`cut at ${cut}: ${String(outcome)}`);
    }
  });

  test('knows from the mark before how much must be there, where the newest was being written', () => {
    for (let flush = 2; flush < flushes.length; flush++) {
      const { marked } = flushes[flush]!;
      const before = flushes[flush - 1]!.written.length;
      const torn = Buffer.from(marked);
      const newest = [4_096, 8_192].find((at) => Number(marked.readBigUInt64LE(at)) === marked.length)!;
      torn.fill('noise', newest, newest + 512);
      expect(entriesOf(torn.subarray(0, before)), `flush ${flush}`).toEqual(all.slice(0, flushes[flush - 1]!.entries));
      expect(outcomeOf(torn.subarray(0, before - 1)), `flush ${flush}`).toBe('SLUICE-LOG-DAMAGED');
    }
  });

  test('names the file and the byte where it is damaged', () => {
    const { bytes, toldBytes } = underWay();
    expect(() => readLog('the-log', bytes.subarray(0, toldBytes - 1))).toThrow(/the-log .*byte \d{5}: it was on disk up to byte \d{5}/);
  });

  test('opens after every power loss with what was told, whichever sectors of the rest are missing', () => {
    const anyFlush = fc.integer({ min: 1, max: flushCount });
    const sectorSize = fc.constantFrom(512, 4096);
    const fates = fc.array(fc.constantFrom<Fate>('old', 'new', 'zero', 'noise'), { minLength: 40, maxLength: 40 });
    let dropped = 0;
    fc.assert(
      fc.property(anyFlush, sectorSize, fates, fc.nat(), (flush, size, sectors, cut) => {
        const [before, after] = [flushes[flush - 1]!, flushes[flush]!];
        const bytes = powerLoss(before.onDisk, after.written, { size, sectors, cut });
        const entries = entriesOf(bytes);
        expect(entries.length).toBeGreaterThanOrEqual(before.entries);
        expect(entries).toEqual(all.slice(0, entries.length));
        if (entries.length < after.entries) dropped++;
      }),
      { numRuns: 3_000 },
    );
    expect(dropped, 'losses that were seen').toBeGreaterThan(1_000);
  });

  test('is refused when a power loss took what the disk had promised to keep', () => {
    const { bytes, toldBytes } = underWay();
    for (let at = logHeadBytes; at + 512 < toldBytes; at += 512) {
      const hole = Buffer.from(bytes).fill(0, at, at + 512);
      expect(outcomeOf(hole), `a hole at ${at}`).toBe('SLUICE-LOG-DAMAGED');
    }
  });
});

type Fate = 'old' | 'new' | 'zero' | 'noise';

/**
 * `synced` is on disk, `written` was on its way. Of every sector that they differ in, the disk has either; where nothing was before, or a mark was
 * being written, it may have anything. The file is as long as it was, as it was to be, or between.
 */
function powerLoss(
  synced: Buffer,
  written: Buffer,
  { size, sectors, cut }: { readonly size: number; readonly sectors: readonly Fate[]; readonly cut: number },
): Buffer {
  const lost = Buffer.alloc(written.length);
  synced.copy(lost);
  let differing = 0;
  for (let at = 0; at < written.length; at += size) {
    const end = Math.min(at + size, written.length);
    if (lost.subarray(at, end).equals(written.subarray(at, end)) && end <= synced.length) continue;
    const fate = sectors[differing++ % sectors.length]!;
    const isOpen = at >= synced.length || at < logHeadBytes;
    if (fate === 'new') written.copy(lost, at, at, end);
    else if (fate === 'zero' && isOpen) lost.fill(0, at, end);
    else if (fate === 'noise' && isOpen) lost.fill('noise', at, end);
  }
  return lost.subarray(0, synced.length + (cut % (written.length - synced.length + 1)));
}
