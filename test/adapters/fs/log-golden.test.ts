/** A log with one entry of each kind, as recorded: read for ever, and written the same today (docs/formats/log.md). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeHead, frame, readLog } from '../../../lib/adapters/fs/log-format.ts';
import { decodeMutation, encodeMutation } from '../../../lib/adapters/fs/mutation-codec.ts';
import type { Mutation } from '../../../lib/adapters/memory/mutation.ts';
import { operatorUid, type JobId } from '../../../lib/base/ids.ts';
import { goldenBytes } from '../../setup/golden-bytes.ts';
import { DataDirectories } from './data-directories.ts';

const job = 'c'.repeat(32) as JobId;
const uid = operatorUid('count');
const body = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const largeContent = body('the content of a large object');
const wakeUp = { id: 1, queue: 'q', group: 'g', deduplicationId: 'w', body: body('wake up'), dueAtMs: 5_000 };
const message = { group: 'g', deduplicationId: 'd1', sentAtMs: 1_000 };
const row = { operator: uid, state: 'sum', keyGroup: 7, key: '"ä"', namespace: '' };
/** Records hold what plain JSON cannot. They are short: the log does not look into them. */
const odd = { position: { seen: new Map([[1, new Date(2)]]), count: 12n, rate: Number.NaN, none: undefined } };

const kinds: { readonly [Kind in Mutation['kind']]: unknown } = {
  'queue-send': { queue: 'q', messages: [2, 3].map((id) => ({ ...message, id, body: body(`message ${id}`) })) },
  'queue-delete': { queue: 'q', ids: [2] },
  'queue-memory': { queue: 'q', highestId: 3, remembered: [message] },
  'job-put': { record: { job, name: 'counting', version: 4 } },
  'shard-put': { record: { job, uid, shard: 0, version: 9, splits: { '0': odd } } },
  'acknowledgement-put': { snapshot: { job, attempt: 1, checkpoint: 2, uid, shard: 0 } },
  'acknowledgements-remove': { job, attempt: 1, checkpoint: 1 },
  'operation-put': { record: { job, trigger: 'savepoint-1' } },
  'object-put': { key: 'jobs/small', createdAtMs: 1_000, bytes: body('small') },
  'object-file': { key: 'jobs/large', createdAtMs: 1_000, file: '00000001.object', size: largeContent.length, crc32: crc32(largeContent) },
  'objects-remove': { keys: ['jobs/old', 'jobs/older'] },
  'base-write': {
    space: job,
    version: 3,
    atMs: 1_000,
    rows: [
      { ...row, value: '5' },
      { ...row, namespace: '2', value: undefined },
    ],
  },
  'base-purge': { space: job, olderThanMs: 10 },
  'base-drop': { space: 'gone' },
  'flow-put': { execution: { id: 'flow-1', flow: 'checkpoint', data: { job } } },
  'history-put': { job, entry: { kind: 'checkpoint', id: 2 } },
  'delay-put': { wakeUp },
  'delay-remove': { id: 1 },
};
const mutations = Object.entries(kinds).map(([kind, rest]) => ({ kind, ...(rest as object) }) as Mutation);

function written(): Buffer {
  const entries = mutations.flatMap((mutation) => frame(encodeMutation(mutation)));
  const { bytes } = encodeHead({ firstEntry: 1, baseEntry: 0 }, Buffer.concat(entries).length);
  return Buffer.concat([bytes, ...entries]);
}

describe('the recorded log of format 2', () => {
  const log = Buffer.from(goldenBytes('log/v2/one-of-each.bin', written()));
  const object = goldenBytes('log/v2/00000001.object', largeContent);
  let directories: DataDirectories;
  beforeEach(() => (directories = new DataDirectories()));
  afterEach(() => directories.dispose());

  test('holds what it held', () => {
    const content = readLog('golden', log);
    expect(content).toMatchObject({ firstEntry: 1, baseEntry: 0, tornBytes: 0 });
    expect(content.entries.map(decodeMutation)).toEqual(mutations);
  });

  test('would be written the same today', () => {
    expect(written().equals(log)).toBe(true);
  });

  test('opens as a data directory', async () => {
    const directory = directories.path('recorded');
    mkdirSync(join(directory, 'objects'), { recursive: true });
    writeFileSync(join(directory, 'log-00000001.sluice'), log);
    writeFileSync(join(directory, 'objects', '00000001.object'), object);
    const { queue, jobs, shards, objects, base } = await directories.open(directory);
    expect(await jobs.list()).toMatchObject([{ name: 'counting', version: 4 }]);
    expect(await shards.read({ job, uid, shard: 0 })).toMatchObject({ splits: { '0': odd } });
    expect(await objects.read('jobs/small')).toEqual(body('small'));
    expect(Buffer.from((await objects.read('jobs/large'))!).toString()).toBe('the content of a large object');
    expect(await base.readKey(job, row)).toEqual([{ ...row, value: '5' }]);
    const [received] = await queue.receive('q', { messagesMax: 1, waitMs: 0, visibilityMs: 1_000 });
    expect(Buffer.from(received!.body).toString()).toBe('message 3');
  });
});
