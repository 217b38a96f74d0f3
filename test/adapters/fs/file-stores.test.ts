import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileStores, type FileStoresOptions } from '../../../lib/adapters/fs/file-stores.ts';
import type { LocalStores } from '../../../lib/adapters/memory/memory-stores.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import { operatorUid } from '../../../lib/base/ids.ts';
import { jobA, jobRecord, shardRecord } from '../../contract/fixture.ts';
import { ManualTime } from '../../contract/manual-time.ts';
import { Choices } from '../../runtime/chaos-random.ts';

const uid = operatorUid('count');
const address = { job: jobA, uid, shard: 0 };
const keyAddress = { operator: uid, state: 'sum', keyGroup: 3, key: '"a"', namespace: '' };
let folder: string;
let messages: string[];
let open: LocalStores[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-fs-'));
  messages = [];
  open = [];
});
afterEach(async () => {
  for (const stores of open) await stores.close();
  rmSync(folder, { recursive: true, force: true });
});

async function openStores(directory: string, options: Partial<FileStoresOptions> = {}): Promise<LocalStores> {
  const { clock, timers } = new ManualTime();
  const logger = { log: (_level: string, message: string) => void messages.push(message) };
  const stores = await createFileStores({ directory, clock, timers, random: systemRandom, logger, ...options });
  open.push(stores);
  return stores;
}

function logFile(directory: string): string {
  const names = readdirSync(directory).filter((name) => name.endsWith('.sluice'));
  expect(names, 'one generation at a time').toHaveLength(1);
  return join(directory, names[0]!);
}

/** What the stores hold, as text. */
async function stateOf(stores: LocalStores): Promise<string> {
  return JSON.stringify({
    jobs: await stores.jobs.list(),
    shard: (await stores.shards.read(address))?.version ?? 0,
    objects: (await stores.objects.list('')).map(({ key }) => key),
    depth: await stores.queue.depth('q'),
    base: await stores.base.read(jobA, [keyAddress]),
  });
}

/** One change of each kind after the other; after each, everything is on disk. */
async function change(stores: LocalStores, step: number): Promise<void> {
  const version = Math.floor(step / 5) + 1;
  switch (step % 5) {
    case 0:
      await stores.shards.commit(shardRecord({ version }), { version: version - 1, attempt: 1 });
      break;
    case 1:
      await stores.objects.createIfAbsent(`object-${String(step).padStart(3, '0')}`, Buffer.alloc(40, step));
      break;
    case 2:
      await stores.queue.sendBatch('q', [{ group: 'g', deduplicationId: String(step), body: Buffer.from(`message ${step}`) }]);
      break;
    case 3:
      await stores.base.write(jobA, version, [{ ...keyAddress, value: String(step) }]);
      break;
    default:
      if (version === 1) await stores.jobs.create(jobRecord({ version }));
      else await stores.jobs.replace(jobRecord({ version, numbered: version }), version - 1);
  }
  await stores.durable();
}

describe('a data directory', () => {
  test('gives back exactly a prefix of what happened, wherever its log was cut', async () => {
    const stores = await openStores(join(folder, 'data'));
    const states: { readonly bytes: number; readonly state: string }[] = [];
    const log = logFile(join(folder, 'data'));
    states.push({ bytes: statSync(log).size, state: await stateOf(stores) });
    for (let step = 0; step < 30; step++) {
      await change(stores, step);
      states.push({ bytes: statSync(log).size, state: await stateOf(stores) });
    }
    const whole = states.at(-1)!.bytes;
    const choices = new Choices(7);
    const cuts = states
      .flatMap(({ bytes }) => [bytes, bytes - 1, bytes + 1])
      .concat(Array.from({ length: 60 }, () => choices.below(whole)));
    for (const cut of cuts.filter((at) => at >= states[0]!.bytes && at <= whole)) {
      const copy = join(folder, `cut-${cut}`);
      cpSync(join(folder, 'data'), copy, { recursive: true });
      // What SQLite had not committed when the process was killed is applied again from the log; it never has more than the log.
      rmSync(join(copy, 'lock'), { force: true });
      for (const name of readdirSync(copy)) if (name.startsWith('base.sqlite')) rmSync(join(copy, name));
      truncateSync(logFile(copy), cut);
      const reopened = await openStores(copy);
      const expected = states.filter(({ bytes }) => bytes <= cut).at(-1)!.state;
      expect(await stateOf(reopened), `cut at ${cut} of ${whole}`).toBe(expected);
      await reopened.close();
    }
    expect(messages).toContain('the log ends in an entry that was not finished; it is dropped');
  });

  test('goes on after a kill with everything that was durable, the base included', async () => {
    const data = join(folder, 'data');
    const stores = await openStores(data);
    for (let step = 0; step < 25; step++) await change(stores, step);
    const before = await stateOf(stores);
    const copy = join(folder, 'copy');
    cpSync(data, copy, { recursive: true });
    writeFileSync(join(copy, 'lock'), '999999999');
    const reopened = await openStores(copy);
    expect(await stateOf(reopened)).toBe(before);
    for (let step = 25; step < 40; step++) await change(reopened, step);
    const later = await stateOf(reopened);
    await reopened.close();
    expect(await stateOf(await openStores(copy))).toBe(later);
  });

  test('counts every message as received before, and lets nobody hold one', async () => {
    const data = join(folder, 'data');
    const stores = await openStores(data);
    await stores.queue.sendBatch('q', [{ group: 'g', deduplicationId: '1', body: Buffer.from('m') }]);
    const receive = { messagesMax: 10, waitMs: 0, visibilityMs: 60_000 };
    expect((await stores.queue.receive('q', receive))[0]!.receiveCount).toBe(1);
    await stores.close();
    const [again] = await (await openStores(data)).queue.receive('q', receive);
    expect(again!.receiveCount).toBe(2);
  });

  test('replaces its log by what is alive when it grows, and loses nothing', async () => {
    const data = join(folder, 'data');
    const stores = await openStores(data, { generationBytes: 4_000 });
    for (let step = 0; step < 200; step++) {
      await change(stores, step);
      const [message] = await stores.queue.receive('q', { messagesMax: 1, waitMs: 0, visibilityMs: 1_000 });
      if (message !== undefined) await stores.queue.deleteBatch('q', [message.receipt]);
      if (step % 5 === 1) await stores.objects.remove([`object-${String(step - 5).padStart(3, '0')}`]);
    }
    await stores.durable();
    const before = await stateOf(stores);
    await stores.close();
    expect(Number(/log-(\d+)/.exec(logFile(data))![1])).toBeGreaterThan(1);
    expect(await stateOf(await openStores(data))).toBe(before);
  });

  test('is refused where its log was changed in the middle', async () => {
    const data = join(folder, 'data');
    const stores = await openStores(data);
    for (let step = 0; step < 10; step++) await change(stores, step);
    await stores.close();
    const log = logFile(data);
    const bytes = readFileSync(log);
    bytes[60]! ^= 1;
    writeFileSync(log, bytes);
    await expect(openStores(data)).rejects.toMatchObject({ code: 'SLUICE-LOG-DAMAGED' });
    expect(existsSync(join(data, 'lock')), 'a refused directory is not left locked').toBe(false);
  });

  test('of a newer format is refused', async () => {
    const data = join(folder, 'data');
    await (await openStores(data)).close();
    const log = logFile(data);
    const bytes = readFileSync(log);
    bytes.writeUInt32LE(99, 8);
    writeFileSync(log, bytes);
    await expect(openStores(data)).rejects.toMatchObject({ code: 'SLUICE-FORMAT-NEWER' });
  });

  test('is used by one process at a time, and taken over from one that is gone', async () => {
    const data = join(folder, 'data');
    const stores = await openStores(data);
    await expect(openStores(data), 'the same process').rejects.toMatchObject({ code: 'SLUICE-DATA-DIR-LOCKED' });
    await stores.close();
    writeFileSync(join(data, 'lock'), String(process.ppid));
    await expect(openStores(data)).rejects.toMatchObject({ code: 'SLUICE-DATA-DIR-LOCKED' });
    writeFileSync(join(data, 'lock'), '999999999');
    await openStores(data);
    expect(readFileSync(join(data, 'lock'), 'utf8')).toBe(String(process.pid));
  });

  test('opens as fast with 200,000 rows in its base as with 1,000', async () => {
    const took = async (rows: number): Promise<number> => {
      const data = join(folder, `rows-${rows}`);
      const stores = await openStores(data);
      for (let at = 0; at < rows; at += 10_000) {
        const page = Array.from({ length: Math.min(10_000, rows - at) }, (_, i) => ({ ...keyAddress, key: `"k${at + i}"`, value: '1' }));
        await stores.base.write(jobA, 1, page);
      }
      await stores.close();
      // The log is replaced, so that only the base holds the rows.
      const settled = await openStores(data, { generationBytes: 1 });
      await settled.jobs.create(jobRecord({ version: 1 }));
      await settled.close();
      const times: number[] = [];
      for (let round = 0; round < 5; round++) {
        const startedAt = performance.now();
        const reopened = await openStores(data);
        expect(await reopened.base.read(jobA, [{ ...keyAddress, key: '"k7"' }])).toEqual(['1']);
        times.push(performance.now() - startedAt);
        await reopened.close();
      }
      return Math.min(...times);
    };
    const small = await took(1_000);
    expect(await took(200_000)).toBeLessThan(Math.max(small * 2, small + 15));
  });
});
