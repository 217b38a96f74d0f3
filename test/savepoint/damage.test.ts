import { beforeAll, describe, expect, test } from 'vitest';
import { SluiceError } from '../../lib/base/errors.ts';
import { encodeMetadata, metadataFile, sha256Of } from '../../lib/savepoint/metadata-codec.ts';
import { encodeKeyedRows } from '../../lib/savepoint/keyed-file.ts';
import { openSavepoint } from '../../lib/savepoint/open-savepoint.ts';
import { checkSavepoint, assertRestorable } from '../../lib/savepoint/check-savepoint.ts';
import { validateSavepoint } from '../../lib/savepoint/validate-savepoint.ts';
import type { KeyedFile, SavepointMetadata } from '../../lib/savepoint/savepoint-metadata.ts';
import { counter, planOf } from '../checkpoint/plans.ts';
import { MemorySavepointFolders } from '../../lib/adapters/memory/savepoint-folders.ts';
import { StateWorld } from './fixture.ts';

const options = { allowNonRestoredState: false, allowOtherJob: false };
const plan = planOf({ sources: 1, counters: 1 });

let whole: ReadonlyMap<string, Uint8Array> = new Map();
let metadata: SavepointMetadata;

function copyOf(changes: Readonly<Record<string, Uint8Array | undefined>> = {}): MemorySavepointFolders {
  const folders = new MemorySavepointFolders();
  for (const [path, bytes] of whole) folders.files.set(path, bytes);
  for (const [path, bytes] of Object.entries(changes)) {
    if (bytes === undefined) folders.files.delete(`it/${path}`);
    else folders.files.set(`it/${path}`, bytes);
  }
  return folders;
}

const check = async (folders: MemorySavepointFolders) => checkSavepoint(folders.at('it'), plan, options);
const rewritten = (changes: Partial<SavepointMetadata>): Uint8Array => encodeMetadata({ ...metadata, ...changes });

beforeAll(async () => {
  const world = new StateWorld(plan);
  await world.fill();
  const folders = new MemorySavepointFolders();
  await world.export(folders.at('it'));
  whole = folders.files;
  metadata = await openSavepoint(folders.at('it'));
});

describe('a savepoint is refused', () => {
  test('with any byte of any file flipped', async () => {
    expect((await check(copyOf())).ok).toBe(true);
    let flips = 0;
    for (const [path, bytes] of whole) {
      for (let at = 0; at < bytes.length; at++) {
        for (const pattern of [0x01, 0x80, 0xff]) {
          const damaged = Uint8Array.from(bytes);
          damaged[at]! ^= pattern;
          const { reasons } = await validateSavepoint(copyOf({ [path.slice(3)]: damaged }).at('it'));
          if (reasons.length === 0) expect.fail(`${path}: byte ${at} ^ ${pattern} went unnoticed`);
          flips++;
        }
      }
    }
    expect(flips).toBeGreaterThan(9_000);
  }, 60_000);

  test('with any file missing, and the reason names it', async () => {
    for (const path of [...whole.keys()].map((name) => name.slice(3))) {
      const result = await check(copyOf({ [path]: undefined }));
      expect(result.ok).toBe(false);
      expect(result.reasons.map(({ message }) => message).join()).toContain(path);
    }
  });

  test('with any file cut off, or with something behind its end', async () => {
    for (const [name, bytes] of whole) {
      const path = name.slice(3);
      for (const changed of [bytes.slice(0, -1), bytes.slice(0, 0), Buffer.concat([bytes, Buffer.from('\n')])]) {
        expect((await check(copyOf({ [path]: changed }))).ok, path).toBe(false);
      }
    }
  });

  test('of a newer format', async () => {
    const text = Buffer.from(whole.get(`it/${metadataFile}`)!)
      .toString('utf8')
      .replace('"format": 1', '"format": 2');
    const result = await check(copyOf({ [metadataFile]: Buffer.from(text) }));
    expect(result).toMatchObject({ ok: false, reasons: [{ code: 'SLUICE-FORMAT-NEWER' }] });
  });

  test('of another job', async () => {
    const other = { ...plan, name: 'another' };
    const result = await checkSavepoint(copyOf().at('it'), other, options);
    expect(result.reasons).toMatchObject([{ code: 'OTHER_JOB' }]);
    expect(() => assertRestorable(result, 'another')).toThrowError(/of job counting, this is job another/);
    expect((await checkSavepoint(copyOf().at('it'), other, { ...options, allowOtherJob: true })).ok).toBe(true);
  });

  test('that has an unknown codec, an unknown operator or a path that leads out of it', async () => {
    const files = (change: Partial<KeyedFile>) => rewritten({ files: metadata.files.map((file) => ({ ...file, ...change })) });
    expect((await check(copyOf({ [metadataFile]: files({ codec: 'rot13' }) }))).reasons[0]?.message).toContain('codec rot13 is unknown');
    const unknown = rewritten({ operators: metadata.operators.filter(({ uid }) => uid !== counter) });
    expect((await check(copyOf({ [metadataFile]: unknown }))).reasons[0]?.message).toContain('no operator count');
    for (const path of ['../x', '/etc/passwd', 'a/../../b', 'a//b', '', '.', 'a\\b'])
      expect(() => files({ path }), path).toThrowError(/relative path/);
  });

  test('whose lines do not fit, although every checksum does', async () => {
    const [file] = metadata.files;
    const row = { operator: counter, state: 'total', keyGroup: 1, key: '"key-1"', namespace: '', value: '1' };
    const withRows = async (bytes: Uint8Array, rows: number) => {
      const changed = { ...file!, bytes: bytes.length, sha256: sha256Of(bytes), rows };
      const rest = metadata.files.slice(1);
      return (await check(copyOf({ [file!.path]: bytes, [metadataFile]: rewritten({ files: [changed, ...rest] }) }))).reasons.map(
        ({ message }) => message,
      );
    };
    expect((await withRows(encodeKeyedRows([row]), 1))[0]).toMatch(/line 1: key "key-1" does not belong to key group 1/);
    expect((await withRows(encodeKeyedRows([]), 1))[0]).toMatch(/0 lines, not 1/);
    expect((await withRows(encodeKeyedRows([{ ...row, value: '{' }]), 1))[0]).toMatch(/line 1 is not JSON/);
    expect((await withRows(encodeKeyedRows([{ ...row, key: 'null,"key":3' }]), 1))[0]).toMatch(/does not belong/);
    expect((await withRows(Buffer.from('no zstd'), 1))[0]).toMatch(/does not decompress/);
  });

  test('with every reason at once', async () => {
    const [first, second] = [...metadata.files, ...metadata.parts];
    const result = await checkSavepoint(
      copyOf({ [first!.path]: undefined, [second!.path]: Buffer.from('x') }).at('it'),
      planOf({ name: 'another', sources: 1, counters: 2, maxParallelism: 64, derived: false }),
      options,
    );
    expect(result.reasons.map(({ code }) => code)).toEqual([
      'SLUICE-SAVEPOINT-CORRUPT',
      'SLUICE-SAVEPOINT-CORRUPT',
      'OTHER_JOB',
      'MAX_PARALLELISM_CHANGED',
    ]);
    expect(() => assertRestorable(result, 'another')).toThrowError(/is missing.*has 1 bytes.*another.*64/);
  });
});

test('a savepoint that cannot be read at the moment is neither good nor bad: the check is to be made again', async () => {
  const busy = new SluiceError('SLUICE-BUSY', 'try again', { hint: 'Try again.', retryable: true });
  for (const path of [...whole.keys()].map((name) => name.slice(3))) {
    const folder = copyOf().at('it');
    const read = (wanted: string): Promise<Uint8Array | undefined> => (wanted === path ? Promise.reject(busy) : folder.read(wanted));
    await expect(checkSavepoint({ ...folder, read }, plan, options), path).rejects.toBe(busy);
  }
});
