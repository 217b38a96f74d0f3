import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { frame } from '../../../lib/adapters/fs/log-format.ts';
import { LogWriter } from '../../../lib/adapters/fs/log-writer.ts';
import { encodeMutation } from '../../../lib/adapters/fs/mutation-codec.ts';
import type { LocalStores } from '../../../lib/adapters/memory/memory-stores.ts';
import type { Mutation } from '../../../lib/adapters/memory/mutation.ts';
import { operatorUid } from '../../../lib/base/ids.ts';
import { jobA, jobRecord, shardRecord } from '../../contract/sample-records.ts';
import { Choices } from '../../runtime/chaos-random.ts';
import { DataDirectories, logFile, logHeadBytes } from './data-directories.ts';
import { baseTables } from '../../setup/base-tables.ts';

const uid = operatorUid('count');
const address = { job: jobA, uid, shard: 0 };
const keyAddress = { operator: uid, state: 'sum', keyGroup: 3, key: '"a"', namespace: '' };
let directories: DataDirectories;
let data: string;
const openStores: DataDirectories['open'] = (directory, options) => directories.open(directory, options);

beforeEach(() => {
  directories = new DataDirectories();
  data = directories.path('data');
});
afterEach(() => directories.dispose());

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
      await stores.base.write(jobA, version, baseTables([{ ...keyAddress, value: step }]));
      break;
    default:
      if (version === 1) await stores.jobs.create(jobRecord({ version }));
      else await stores.jobs.replace(jobRecord({ version, numbered: version }), version - 1);
  }
  await stores.durable();
}

describe('a data directory', () => {
  test('gives back exactly a prefix of what happened, at least all that was durable, wherever a power loss cut its log', async () => {
    const stores = await openStores(data);
    const states = [{ image: readFileSync(logFile(data)), state: await stateOf(stores) }];
    for (let step = 0; step < 30; step++) {
      await change(stores, step);
      states.push({ image: readFileSync(logFile(data)), state: await stateOf(stores) });
    }
    const whole = states.at(-1)!.image;
    const choices = new Choices(7);
    for (let round = 0; round < 120; round++) {
      // Up to here it was durable: the marks say so. Behind it the disk has what it has.
      const { image: durable } = states[choices.below(states.length)]!;
      const ends = states.map(({ image }) => image.length);
      const cut = choices.below(2) === 0 ? ends[choices.below(ends.length)]! + choices.below(3) - 1 : choices.below(whole.length + 1);
      if (cut < logHeadBytes || cut > whole.length) continue;
      const log = Buffer.concat([durable.subarray(0, logHeadBytes), whole.subarray(logHeadBytes, cut)]);
      const copy = directories.copy(data, { log, without: ['base.sqlite'] });
      if (cut < durable.length) {
        await expect(openStores(copy), `cut at ${cut}`).rejects.toMatchObject({ code: 'SLUICE-LOG-DAMAGED' });
        continue;
      }
      const reopened = await openStores(copy);
      const expected = states.filter(({ image }) => image.length <= cut).at(-1)!.state;
      expect(await stateOf(reopened), `cut at ${cut} of ${whole.length}`).toBe(expected);
      await reopened.close();
    }
    expect(directories.messages).toContain('the log ends in an entry that was not finished; it is dropped');
  });

  test('goes on behind what it dropped, and never sees it again', async () => {
    const stores = await openStores(data);
    for (let step = 0; step < 6; step++) await change(stores, step);
    const durable = readFileSync(logFile(data));
    for (let step = 6; step < 12; step++) await change(stores, step);
    const whole = readFileSync(logFile(data));
    // The first entry behind is lost, those after it are there.
    const lost = Buffer.concat([durable, Buffer.alloc(8), whole.subarray(durable.length + 8)]);
    const copy = directories.copy(data, { log: lost, without: ['base.sqlite'] });
    const reopened = await openStores(copy);
    expect(statSync(logFile(copy)).size, 'cut off').toBe(durable.length);
    for (let step = 6; step < 9; step++) await change(reopened, step);
    const state = await stateOf(reopened);
    expect(await stateOf(await openStores(directories.copy(copy)))).toBe(state);
  });

  test('goes on after a kill with everything that was durable, the base included', async () => {
    const stores = await openStores(data);
    for (let step = 0; step < 25; step++) await change(stores, step);
    const before = await stateOf(stores);
    const copy = directories.copy(data);
    writeFileSync(join(copy, 'lock'), '999999999');
    const reopened = await openStores(copy);
    expect(await stateOf(reopened)).toBe(before);
    for (let step = 25; step < 40; step++) await change(reopened, step);
    const later = await stateOf(reopened);
    await reopened.close();
    expect(await stateOf(await openStores(copy))).toBe(later);
  });

  test('counts every message as received before, and lets nobody hold one', async () => {
    const stores = await openStores(data);
    await stores.queue.sendBatch('q', [{ group: 'g', deduplicationId: '1', body: Buffer.from('m') }]);
    const receive = { messagesMax: 10, waitMs: 0, visibilityMs: 60_000 };
    expect((await stores.queue.receive('q', receive))[0]!.receiveCount).toBe(1);
    await stores.close();
    const [again] = await (await openStores(data)).queue.receive('q', receive);
    expect(again!.receiveCount).toBe(2);
  });

  test('replaces its log by what is alive when it grows, and loses nothing', async () => {
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
    const stores = await openStores(data);
    for (let step = 0; step < 10; step++) await change(stores, step);
    await stores.close();
    const log = logFile(data);
    const bytes = readFileSync(log);
    bytes[logHeadBytes + 60]! ^= 1;
    writeFileSync(log, bytes);
    await expect(openStores(data)).rejects.toMatchObject({ code: 'SLUICE-LOG-DAMAGED' });
    expect(existsSync(join(data, 'lock')), 'a refused directory is not left locked').toBe(false);
  });

  test.each([
    [99, 'SLUICE-FORMAT-NEWER'],
    [1, 'SLUICE-FORMAT-OLDER'],
  ])('of format %i is refused', async (format, code) => {
    await (await openStores(data)).close();
    const log = logFile(data);
    const bytes = readFileSync(log);
    bytes.writeUInt32LE(format, 8);
    writeFileSync(log, bytes);
    await expect(openStores(data)).rejects.toMatchObject({ code });
  });

  test('is refused where its log has a kind of change that this version does not know', async () => {
    mkdirSync(data);
    const unknown = { kind: 'queue-rename', queue: 'q' } as unknown as Mutation;
    const writer = await LogWriter.create(
      join(data, 'log-00000001.sluice'),
      { firstEntry: 1, baseEntry: 0 },
      frame(encodeMutation(unknown)),
    );
    await writer.close();
    await expect(openStores(data)).rejects.toMatchObject({ code: 'SLUICE-FORMAT-NEWER', facts: { kind: 'queue-rename', entry: 1 } });
  });

  test('is refused where its log is older than its base', async () => {
    const stores = await openStores(data);
    for (let step = 0; step < 10; step++) await change(stores, step);
    const old = readFileSync(logFile(data));
    for (let step = 10; step < 20; step++) await change(stores, step);
    const copy = directories.copy(data, { log: old });
    await expect(openStores(copy)).rejects.toMatchObject({ code: 'SLUICE-LOG-DAMAGED', facts: { path: join(copy, 'base.sqlite') } });
    await expect(openStores(copy), 'again').rejects.toMatchObject({ code: 'SLUICE-LOG-DAMAGED' });
  });

  test('is refused where its base is missing, older than the log begins, or broken', async () => {
    const stores = await openStores(data, { generationBytes: 1 });
    await change(stores, 3);
    const old = directories.copy(data);
    for (let step = 0; step < 200; step++) await change(stores, step);
    await stores.close();
    expect(logFile(data), 'a log that does not hold the base').not.toMatch(/00000001/);
    const refused = { code: 'SLUICE-BASE-DAMAGED', facts: { path: expect.stringContaining('base.sqlite') as string } };
    await expect(openStores(directories.copy(data, { without: ['base.sqlite'] }))).rejects.toMatchObject(refused);
    await expect(openStores(directories.copy(old, { log: readFileSync(logFile(data)) }))).rejects.toMatchObject(refused);
    const broken = directories.copy(data);
    writeFileSync(join(broken, 'base.sqlite'), 'not a database, but as long as one would be. '.repeat(200));
    await expect(openStores(broken)).rejects.toMatchObject(refused);
    expect(existsSync(join(broken, 'lock')), 'a refused directory is not left locked').toBe(false);
  });

  test('is not begun anew where its log is gone', async () => {
    const stores = await openStores(data);
    for (let step = 0; step < 10; step++) await change(stores, step);
    const copy = directories.copy(data, { without: ['log-'] });
    for (const time of ['first', 'second']) await expect(openStores(copy), time).rejects.toMatchObject({ code: 'SLUICE-LOG-DAMAGED' });
  });

  test('whose log was being created at a kill begins anew', async () => {
    const stores = await openStores(data);
    await stores.close();
    const copy = directories.copy(data, { without: ['log-'] });
    writeFileSync(join(copy, 'log-00000001.sluice.part'), 'SLUICE');
    const reopened = await openStores(copy);
    await change(reopened, 0);
    expect(existsSync(join(copy, 'log-00000001.sluice.part'))).toBe(false);
  });

  test('is used by one process at a time, and taken over from one that is gone', async () => {
    const stores = await openStores(data);
    await expect(openStores(data), 'the same process').rejects.toMatchObject({ code: 'SLUICE-DATA-DIR-LOCKED' });
    await stores.close();
    writeFileSync(join(data, 'lock'), String(process.ppid));
    await expect(openStores(data)).rejects.toMatchObject({ code: 'SLUICE-DATA-DIR-LOCKED' });
    writeFileSync(join(data, 'lock'), '999999999');
    await openStores(data);
    expect(readFileSync(join(data, 'lock'), 'utf8')).toBe(String(process.pid));
    // Another container may see a process of its own, or none, under the number of the holder.
    rmSync(join(data, 'lock'));
    await expect(openStores(data), 'without its lock file').rejects.toMatchObject({ code: 'SLUICE-DATA-DIR-LOCKED' });
  });

  test.runIf(process.platform === 'linux')('is taken over from one that was killed and that its parent has not asked about', async () => {
    // The shell becomes a process that never waits for its child, which ends only then: a shell would have asked about it.
    const parent = spawn('sh', ['-c', 'cat <&3 & echo $!; exec sleep 60 3<&-'], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    const [pid] = (await once(parent.stdout!, 'data')) as [Buffer];
    const child = String(pid).trim();
    await vi.waitUntil(() => readFileSync(`/proc/${parent.pid}/cmdline`, 'utf8').startsWith('sleep'), 10_000);
    (parent.stdio[3] as Writable).end();
    await vi.waitUntil(() => readFileSync(`/proc/${child}/stat`, 'utf8').includes(') Z '), 10_000);
    mkdirSync(data);
    writeFileSync(join(data, 'lock'), child);
    await openStores(data);
    parent.kill();
  });

  test('opens as fast with 200,000 rows in its base as with 1,000', async () => {
    const took = async (rows: number): Promise<number> => {
      const data = directories.path(`rows-${rows}`);
      const stores = await openStores(data);
      for (let at = 0; at < rows; at += 10_000) {
        const page = Array.from({ length: Math.min(10_000, rows - at) }, (_, i) => ({ ...keyAddress, key: `"k${at + i}"`, value: 1 }));
        await stores.base.write(jobA, 1, baseTables(page));
      }
      await stores.close();
      // The log is replaced, so that only the base holds the rows.
      const settled = await openStores(data, { generationBytes: 1 });
      await settled.jobs.create(jobRecord({ version: 1 }));
      await settled.close();
      expect(statSync(logFile(data)).size).toBeLessThan(20_000);
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
