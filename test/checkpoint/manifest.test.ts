import { readFileSync, existsSync, writeFileSync, mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JobId } from '../../lib/base/ids.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import { decodeDescriptor, decodeManifest, encodeDescriptor, encodeManifest } from '../../lib/checkpoint/manifest-codec.ts';
import { decodeStoredPlan, encodeStoredPlan } from '../../lib/checkpoint/stored-plan.ts';
import { encodeValue } from '../../lib/model/value-json.ts';
import type { ShardSnapshot } from '../../lib/model/shard-record.ts';
import { deltaOf, job, manifestOf, settings } from './fixture.ts';
import { counter, planOf, sink, source } from './plans.ts';

/** Everything that a manifest can hold. */
function full(): Manifest {
  return manifestOf(
    planOf({ counterStates: [{ name: 'total', kind: 'value', ttlMs: 1_000 }] }),
    { checkpoint: 9, attempt: 2, kind: 'savepoint' },
    (uid, shard) => {
      if (uid === source) {
        const position = { offset: 2n, seen: new Map([['a', new Date(5)]]), nothing: undefined };
        return {
          splits: {
            b: { position, ended: false, maxTimestamp: 7, activeAtMs: 8, records: 9 },
            a: { position: null, ended: true, maxTimestamp: 1, activeAtMs: 2, records: 3 },
          },
        };
      }
      if (uid === counter) {
        return {
          deltas: [deltaOf(counter, shard, 3, 8), deltaOf(counter, shard, 3, 9)],
          operatorStates: {
            [counter]: { z: { kind: 'operator-list', items: ['1', '"two"'] }, a: { kind: 'broadcast', items: ['["k",{"$date":5}]'] } },
          },
          fired: [{ keyGroups: { start: 0, end: 5 }, firedUpTo: -5 }],
          nextTimer: { event: 99, processing: null },
          segments: { recent: ['s1', 's2'], chained: 'i1' },
        };
      }
      return {
        parts: [{ operator: sink, shard: 0, checkpoint: 9, number: 0, staged: '.staged', target: 'target', records: 2, bytes: 30 }],
        finished: true,
      };
    },
  );
}

const withShards = (manifest: Manifest, change: (snapshot: ShardSnapshot) => Partial<ShardSnapshot>): Manifest => ({
  ...manifest,
  shards: manifest.shards.map((snapshot) => ({ ...snapshot, ...change(snapshot) })),
});
const inOrder = (manifest: Manifest): Manifest => ({
  ...manifest,
  shards: [...manifest.shards].sort((a, b) => (a.uid === b.uid ? a.shard - b.shard : a.uid < b.uid ? -1 : 1)),
});
const textOf = (manifest: Manifest): string => Buffer.from(encodeManifest(manifest)).toString('utf8');
const golden = (name: string): URL => new URL(`../golden/manifest/v1/${name}`, import.meta.url);

describe('a manifest', () => {
  test('comes back as it was', () => {
    expect(decodeManifest(encodeManifest(full()), 'it')).toEqual(inOrder(full()));
  });

  test('has one text, whatever order its acknowledgements came in and their fields had', () => {
    const manifest = full();
    const shuffled = {
      ...manifest,
      shards: [...manifest.shards]
        .reverse()
        .map((snapshot) => Object.fromEntries(Object.entries(snapshot).reverse()) as unknown as ShardSnapshot),
    };
    expect(textOf(shuffled)).toBe(textOf(manifest));
  });

  test('of version 1 is read for ever, and written the same', () => {
    const path = golden('full.json');
    if (process.env['SLUICE_WRITE_GOLDEN'] === '1' && !existsSync(path)) {
      mkdirSync(golden(''), { recursive: true });
      writeFileSync(path, encodeManifest(full()));
    }
    const recorded = readFileSync(path);
    expect(decodeManifest(recorded, 'the recorded one')).toEqual(inOrder(full()));
    expect(Buffer.from(encodeManifest(decodeManifest(recorded, 'it'))).equals(recorded)).toBe(true);
  });

  test('of a newer format is refused by name', () => {
    const newer = Buffer.from(textOf(full()).replace('"format":1', '"format":2,"more":[]'));
    expect(() => decodeManifest(newer, 'chk')).toThrowError(/format 2, this version reads up to 1/);
  });

  test('that is damaged is refused with every fault', () => {
    const wrong = Buffer.from(textOf(full()).replace('"attempt":2', '"attempt":"two"').replace('"jobName"', '"jobNames"'));
    expect(() => decodeManifest(wrong, 'chk')).toThrowError(/manifest chk.*jobName is missing.*attempt is "two".*jobNames is unknown/);
    expect(() => decodeManifest(Buffer.from('{'), 'chk')).toThrowError(
      expect.objectContaining({ code: 'SLUICE-MANIFEST-CORRUPT' }) as Error,
    );
  });

  test.each([
    ['M1', 'a shard is missing', (manifest: Manifest) => ({ ...manifest, shards: manifest.shards.slice(1) })],
    ['M1', 'a shard is there twice', (manifest: Manifest) => ({ ...manifest, shards: [...manifest.shards, manifest.shards[0]!] })],
    [
      'M1',
      'a snapshot is of another checkpoint',
      (manifest: Manifest) => withShards(manifest, ({ uid }) => (uid === sink ? { checkpoint: 8 } : {})),
    ],
    [
      'M1',
      'a snapshot is of another attempt',
      (manifest: Manifest) => withShards(manifest, ({ uid }) => (uid === sink ? { attempt: 1 } : {})),
    ],
    [
      'M1',
      'a snapshot is of another job',
      (manifest: Manifest) => withShards(manifest, ({ uid }) => (uid === sink ? { job: 'f'.repeat(32) as JobId } : {})),
    ],
    [
      'M2',
      'more was received than sent',
      (manifest: Manifest) => withShards(manifest, ({ uid }) => (uid === source ? { outputs: {} } : {})),
    ],
    [
      'M2',
      'something is in flight in an aligned cut',
      (manifest: Manifest) => withShards(manifest, ({ uid }) => (uid === sink ? { inputs: {} } : {})),
    ],
    [
      'M3',
      'a delta is newer than its checkpoint',
      (manifest: Manifest) =>
        withShards(manifest, ({ uid, shard }) => (uid === counter ? { deltas: [deltaOf(counter, shard, 3, 10)] } : {})),
    ],
    [
      'M3',
      'deltas are out of order',
      (manifest: Manifest) => withShards(manifest, ({ uid, deltas }) => (uid === counter ? { deltas: [...deltas].reverse() } : {})),
    ],
    [
      'M3',
      'a delta has key groups that are not there',
      (manifest: Manifest) =>
        withShards(manifest, ({ uid, deltas }) =>
          uid === counter ? { deltas: deltas.map((delta) => ({ ...delta, keyGroups: { start: 0, end: 128 } })) } : {},
        ),
    ],
  ] as const)('breaks %s where %s, and is neither written nor read', (rule, _, broken) => {
    expect(() => encodeManifest(broken(full()))).toThrowError(new RegExp(`^${rule}:`));
    // Somebody else wrote it: the pair of the check finds it on the way in.
    expect(() => decodeManifest(Buffer.from(encodeValue(broken(full()))), 'it')).toThrowError(new RegExp(`^${rule}:`));
  });

  test('at least once may have less received than sent', () => {
    const manifest = withShards({ ...full(), mode: 'at-least-once' }, ({ uid }) => (uid === sink ? { inputs: {} } : {}));
    expect(decodeManifest(encodeManifest(manifest), 'it').mode).toBe('at-least-once');
  });
});

describe('beside it', () => {
  test('a restore descriptor comes back as it was', () => {
    const descriptor = { format: 1, job, attempt: 3, checkpoint: 7, manifest: 'key', dropped: [sink] } as const;
    expect(decodeDescriptor(encodeDescriptor(descriptor), 'it')).toEqual(descriptor);
    expect(() => decodeDescriptor(Buffer.from('{"format":1}'), 'it')).toThrowError(/job is missing/);
  });

  test('a plan object is named by its content', () => {
    const one = encodeStoredPlan(job, { plan: planOf(), settings });
    expect(decodeStoredPlan(one.bytes, one.key)).toEqual({ format: 1, plan: planOf(), settings });
    expect(encodeStoredPlan(job, { plan: planOf(), settings }).key).toBe(one.key);
    expect(encodeStoredPlan(job, { plan: planOf({ counters: 9 }), settings }).key).not.toBe(one.key);
    expect(() => decodeStoredPlan(Buffer.from('[]'), one.key)).toThrowError(
      expect.objectContaining({ code: 'SLUICE-PLAN-CORRUPT' }) as Error,
    );
  });
});
