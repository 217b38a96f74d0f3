/** docs/formats/log.md, taken at its word: a reader written from the page, on what the stores write. */
import { appendFile, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileStores } from '../../lib/adapters/fs/file-stores.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import { jobA, shardRecord } from '../contract/fixture.ts';
import { readPage } from './markdown.ts';

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

function openStores(generationBytes?: number): Promise<Stores> {
  const system = { clock: systemClock, timers: systemTimers, random: systemRandom };
  const logger = { log: (_level: string, message: string) => void warnings.push(message) };
  return createFileStores({ directory, ...system, logger, ...(generationBytes === undefined ? {} : { generationBytes }) });
}

async function withStores<T>(work: (stores: Stores) => Promise<T>, generationBytes?: number): Promise<T> {
  const stores = await openStores(generationBytes);
  try {
    return await work(stores);
  } finally {
    await stores.close();
  }
}

interface Entry {
  readonly at: number;
  readonly text: { readonly kind: string } & Readonly<Record<string, unknown>>;
  readonly blobs: Buffer;
}

/** As the page says. */
function readEntries(bytes: Buffer): { readonly first: number; readonly entries: readonly Entry[] } {
  expect(bytes.toString('latin1', 0, 8)).toBe('SLUICELG');
  expect(bytes.readUInt32LE(8)).toBe(1);
  const entries: Entry[] = [];
  for (let at = 20; at < bytes.length;) {
    const content = bytes.subarray(at + 8, at + 8 + bytes.readUInt32LE(at));
    expect(crc32(content)).toBe(bytes.readUInt32LE(at + 4));
    const textEnd = 4 + content.readUInt32LE(0);
    entries.push({ at, text: JSON.parse(content.toString('utf8', 4, textEnd)) as Entry['text'], blobs: content.subarray(textEnd) });
    at += 8 + content.length;
  }
  return { first: Number(bytes.readBigUInt64LE(12)), entries };
}

const row = { operator: 'count', state: 'total', keyGroup: 7, key: '"a"', namespace: '' } as const;

async function writeSome(stores: Stores): Promise<void> {
  await stores.objects.createIfAbsent('jobs/one', Buffer.from('content'));
  const messages = ['a', 'b'].map((body) => ({ group: '0.1', deduplicationId: body, body: Buffer.from(body.repeat(3)) }));
  await stores.queue.sendBatch('queue', messages);
  await stores.base.write(jobA, 3, [{ ...row, operator: row.operator as never, value: '5' }]);
  await stores.shards.commit(shardRecord({ version: 1 }), { version: 0, attempt: 1 });
}

describe('the log is as its page describes it', () => {
  test('header, entries, text and bytes', async () => {
    await withStores(writeSome);
    const { first, entries } = readEntries(await readFile(log));
    expect(first).toBe(1);
    expect(entries.map(({ text }) => text.kind)).toEqual(['object-put', 'queue-send', 'base-write', 'shard-put']);
    const [put, send, write] = entries as [Entry, Entry, Entry];
    expect(put.text).toMatchObject({ key: 'jobs/one', bytes: 7 });
    expect(put.blobs.toString()).toBe('content');
    expect(send.text).toMatchObject({ queue: 'queue', messages: [{ body: 3 }, { body: 3 }] });
    expect(send.blobs.toString()).toBe('aaabbb');
    expect(write.text).toMatchObject({ epoch: 3, rows: [['count', 'total', 7, '"a"', '', '5']] });
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
      expect(database.prepare('SELECT key_group, key, value, epoch, timer FROM rows').all()).toEqual([
        { key_group: 7, key: '"a"', value: '5', epoch: 3, timer: 0 },
      ]);
    } finally {
      database.close();
    }
  });
});

describe('a start', () => {
  const objectsOf = (stores: Stores): Promise<readonly string[]> =>
    stores.objects.list('').then((objects) => objects.map(({ key }) => key));

  test('cuts off what was not finished, wherever it was cut, keeps the rest, and says so', async () => {
    await withStores(async ({ objects }) => {
      await objects.createIfAbsent('first', Buffer.from('1'));
      await objects.createIfAbsent('second', Buffer.from('2'));
    });
    const whole = await readFile(log);
    const { at } = readEntries(whole).entries[1]!;
    for (let end = at + 1; end < whole.length; end++) {
      warnings.length = 0;
      await writeFile(log, whole.subarray(0, end));
      expect(await withStores(objectsOf), `cut at ${end}`).toEqual(['first']);
      expect(warnings).toEqual([expect.stringContaining('not finished')]);
      expect((await readFile(log)).length).toBe(at);
    }
  });

  test('cuts off an end that is noise or nothing, as a power loss leaves it', async () => {
    await withStores(({ objects }) => objects.createIfAbsent('first', Buffer.from('1')));
    const { length } = await readFile(log);
    for (const tail of [Buffer.alloc(300), Buffer.from('noise that is longer than a frame')]) {
      await appendFile(log, tail);
      expect(await withStores(objectsOf)).toEqual(['first']);
      expect((await readFile(log)).length).toBe(length);
    }
  });

  test('goes on writing behind what it kept', async () => {
    await withStores(({ objects }) => objects.createIfAbsent('first', Buffer.from('1')));
    await truncate(log, (await readFile(log)).length - 1);
    await withStores(({ objects }) => objects.createIfAbsent('again', Buffer.from('2')));
    expect(await withStores(objectsOf)).toEqual(['again']);
  });

  test('refuses a log that something else has changed', async () => {
    await withStores(writeSome);
    const whole = await readFile(log);
    const flipped = Buffer.from(whole);
    flipped[readEntries(whole).entries[0]!.at + 20]! ^= 1;
    await writeFile(log, flipped);
    await expect(openStores()).rejects.toMatchObject({ code: 'SLUICE-LOG-DAMAGED' });
    await writeFile(log, 'something else altogether');
    await expect(openStores()).rejects.toMatchObject({ code: 'SLUICE-LOG-DAMAGED' });
  });

  test('refuses a log of a newer format', async () => {
    await withStores(writeSome);
    const newer = await readFile(log);
    newer.writeUInt32LE(2, 8);
    await writeFile(log, newer);
    await expect(openStores()).rejects.toMatchObject({ code: 'SLUICE-FORMAT-NEWER' });
  });

  test('refuses a directory that is in use, and takes one over whose process is gone', async () => {
    await withStores(async () => {
      const ours = await readFile(join(directory, 'lock'), 'utf8');
      expect(ours).toBe(String(process.pid));
      await writeFile(join(directory, 'lock'), '1');
      await expect(openStores()).rejects.toMatchObject({ code: 'SLUICE-DATA-DIR-LOCKED', facts: { pid: 1 } });
    });
    await writeFile(join(directory, 'lock'), '999999999');
    await withStores(writeSome);
  });

  test('applies base writes that SQLite does not have yet', async () => {
    await withStores(writeSome);
    await rename(join(directory, 'base.sqlite'), join(directory, 'kept'));
    expect(await withStores(({ base }) => base.read(jobA, [{ ...row, operator: row.operator as never }]))).toEqual(['5']);
  });
});

test('a new generation replaces the old one and holds the same state, while entries go on being numbered', async () => {
  const bytes = Buffer.alloc(2_000, 'x');
  await withStores(async (stores) => {
    for (let i = 0; i < 40; i++) {
      await stores.objects.createIfAbsent(`object-${i}`, bytes);
      if (i > 0) await stores.objects.remove([`object-${i - 1}`]);
      await stores.durable();
    }
  }, 10_000);
  await expect(readFile(log)).rejects.toThrow();
  expect(await withStores(({ objects }) => objects.list(''))).toMatchObject([{ key: 'object-39', bytes: 2_000 }]);
});
