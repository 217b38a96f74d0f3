/** docs/formats/log.md, taken at its word: a reader written from the page, on what the stores write. */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileStores } from '../../lib/adapters/fs/file-stores.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { jobA, shardRecord } from '../contract/sample-records.ts';
import { readPage } from './markdown.ts';
import { baseTables } from '../setup/base-tables.ts';

let directory: string;
let log: string;
const warnings: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-log-'));
  log = join(directory, 'log-00000001.sluice');
  warnings.length = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

type Stores = Awaited<ReturnType<typeof createFileStores>>;

function openStores(): Promise<Stores> {
  const system = { clock: systemClock, timers: systemTimers, random: systemRandom };
  const logger = { log: (_level: string, message: string) => void warnings.push(message) };
  return createFileStores({ directory, ...system, logger });
}

async function withStores<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
  const stores = await openStores();
  try {
    return await work(stores);
  } finally {
    await stores.close();
  }
}

interface Entry {
  readonly text: { readonly kind: string } & Readonly<Record<string, unknown>>;
  readonly blobs: Buffer;
}

/** As the page says. */
function readEntries(bytes: Buffer): { readonly first: number; readonly entries: readonly Entry[]; readonly marked: number } {
  expect(bytes.toString('latin1', 0, 8)).toBe('SLUICELG');
  expect(bytes.readUInt32LE(8)).toBe(2);
  const marks = [4096, 8192].map((at) => {
    const isValid = crc32(Buffer.concat([bytes.subarray(0, 36), bytes.subarray(at, at + 8)])) === bytes.readUInt32LE(at + 8);
    return isValid ? Number(bytes.readBigUInt64LE(at)) : 0;
  });
  const entries: Entry[] = [];
  for (let at = 12_288; at < bytes.length;) {
    const content = bytes.subarray(at + 8, at + 8 + bytes.readUInt32LE(at));
    expect(crc32(content)).toBe(bytes.readUInt32LE(at + 4));
    const textEnd = 4 + content.readUInt32LE(0);
    entries.push({ text: JSON.parse(content.toString('utf8', 4, textEnd)) as Entry['text'], blobs: content.subarray(textEnd) });
    at += 8 + content.length;
  }
  return { first: Number(bytes.readBigUInt64LE(12)), entries, marked: Math.max(...marks) };
}

const row = { operator: 'count', state: 'total', keyGroup: 7, key: '"a"', namespace: '' } as const;

async function writeSome(stores: Stores): Promise<void> {
  await stores.objects.createIfAbsent('jobs/one', Buffer.from('content'));
  const messages = ['a', 'b'].map((body) => ({ group: '0.1', deduplicationId: body, body: Buffer.from(body.repeat(3)) }));
  await stores.queue.sendBatch('queue', messages);
  await stores.base.write(jobA, 3, baseTables([{ ...row, operator: row.operator as never, value: 5 }]));
  await stores.shards.commit(shardRecord({ version: 1 }), { version: 0, attempt: 1 });
}

describe('the log is as its page describes it', () => {
  test('header, entries, text and bytes', async () => {
    await withStores(writeSome);
    const bytes = await readFile(log);
    const { first, entries, marked } = readEntries(bytes);
    expect(first).toBe(1);
    expect(marked, 'all of it is on disk').toBe(bytes.length);
    expect(Number(bytes.readBigUInt64LE(28)), 'it began with nothing').toBe(12_288);
    expect(entries.map(({ text }) => text.kind)).toEqual(['object-put', 'queue-send', 'base-write', 'shard-put']);
    const [put, send, write] = entries as [Entry, Entry, Entry];
    expect(put.text).toMatchObject({ key: 'jobs/one', bytes: 7 });
    expect(put.blobs.toString()).toBe('content');
    expect(send.text).toMatchObject({ queue: 'queue', messages: [{ body: 3 }, { body: 3 }] });
    expect(send.blobs.toString()).toBe('aaabbb');
    expect(write.text).toMatchObject({ version: 3, rows: [['count', 'total', 7, '"a"', '', '5']] });
  });

  test('a large object is a file that the log names', async () => {
    const content = Buffer.alloc(256 * 1024 + 1, 'large');
    await withStores(({ objects }) => objects.createIfAbsent('jobs/large', content));
    const { entries } = readEntries(await readFile(log));
    const file = { file: '00000001.object', size: content.length, crc32: crc32(content) };
    expect(entries.map(({ text }) => text)).toMatchObject([{ kind: 'object-file', key: 'jobs/large', ...file }]);
    expect((await readFile(join(directory, 'objects', '00000001.object'))).equals(content)).toBe(true);
  });

  test('and names every kind of mutation', async () => {
    const page = readPage('docs/formats/log.md');
    const kinds = [...readPage('lib/adapters/memory/mutation.ts').matchAll(/readonly kind: '([a-z-]+)'/g)].map(([, kind = '']) => kind);
    expect(kinds.length).toBeGreaterThan(10);
    expect(kinds.filter((kind) => !page.includes(`\`${kind}\``))).toEqual([]);
  });

  test('and the base holds the number of the last entry that is in it', async () => {
    await withStores(writeSome);
    const database = new DatabaseSync(join(directory, 'base.sqlite'), { readOnly: true });
    try {
      expect(database.prepare("SELECT value FROM meta WHERE name = 'applied'").get()).toEqual({ value: 3 });
      expect(database.prepare('SELECT key_group, key, value, version, timer FROM rows').all()).toEqual([
        { key_group: 7, key: '"a"', value: '5', version: 3, timer: 0 },
      ]);
    } finally {
      database.close();
    }
  });
});

test('what a power loss may leave behind the last entry is cut off, with a warning', async () => {
  await withStores(({ objects }) => objects.createIfAbsent('first', Buffer.from('1')));
  const { length } = await readFile(log);
  for (const tail of [Buffer.alloc(300), Buffer.from('noise that is longer than the frame of an entry')]) {
    await appendFile(log, tail);
    warnings.length = 0;
    expect(await withStores(({ objects }) => objects.list(''))).toMatchObject([{ key: 'first' }]);
    expect(warnings).toEqual([expect.stringContaining('not finished')]);
    expect((await readFile(log)).length).toBe(length);
  }
});
