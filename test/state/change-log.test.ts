import { describe, expect, test } from 'vitest';
import { limits } from '../../lib/base/limits.ts';
import { decodeDeltaBlocks } from '../../lib/state/delta-codec.ts';
import { createHandle } from '../../lib/state/state-handles.ts';
import type { ValueState } from '../../lib/state/descriptors.ts';
import { openBackend, type TestBackend } from './open-backend.ts';

function open(): { backend: TestBackend; put: (key: number, value: number) => void } {
  const backend = openBackend();
  const state = createHandle(backend, 'value', { kind: 'value' }) as ValueState<number>;
  const put = (key: number, value: number): void => {
    backend.current = backend.resolve(key);
    state.update(value);
  };
  return { backend, put };
}

/** One list per delta object, in it one per block, of `key=value`. */
function blocksOf({ changes }: TestBackend, rowsMax = 1_000): string[][][] {
  return changes
    .writeEpoch(rowsMax)
    .map(({ bytes }) =>
      decodeDeltaBlocks(bytes, 'a test').map(({ number, tables }) =>
        tables.flatMap(({ keys, values }) => keys.map((key, i) => `${number}:${key}=${String(values[i])}`)),
      ),
    );
}

describe('the delta of an epoch', () => {
  test('is what its commits wrote, where few rows changed again', () => {
    const { backend, put } = open();
    for (let key = 0; key < 8; key++) put(key, key);
    const written = backend.changes.writeCommit();
    expect(written).not.toBeNull();
    backend.changes.committed();
    put(8, 8);
    put(0, 100);
    const [delta] = blocksOf(backend);
    expect(delta).toEqual([Array.from({ length: 8 }, (_, key) => `0:${key}=${key}`), ['1:8=8', '1:0=100']]);
  });

  test('has each row once, where many changed again', () => {
    const { backend, put } = open();
    for (let round = 0; round < 3; round++) {
      for (let key = 0; key < 4; key++) put(key, round);
      backend.changes.writeCommit();
      backend.changes.committed();
    }
    expect(blocksOf(backend)).toEqual([[['0:0=2', '0:1=2', '0:2=2', '0:3=2']]]);
  });

  test('goes on counting its blocks from one object to the next', () => {
    const { backend, put } = open();
    for (let commit = 0; commit < 4; commit++) {
      put(commit * 2, commit);
      put(commit * 2 + 1, commit);
      backend.changes.writeCommit();
      backend.changes.committed();
    }
    const numbers = blocksOf(backend, 4).map((delta) => delta.map((rows) => rows[0]!.split(':')[0]));
    expect(numbers).toEqual([
      ['0', '1'],
      ['2', '3'],
    ]);
  });

  test('has each row once, where there were more commits than an epoch has numbers for', () => {
    const { backend, put } = open();
    for (let key = 0; key <= limits.deltaBlocksPerEpochMax; key++) {
      put(key, key);
      backend.changes.writeCommit();
      backend.changes.committed();
    }
    const deltas = blocksOf(backend, 100_000);
    expect(deltas.map((blocks) => blocks.length)).toEqual([1]);
    expect(deltas[0]![0]!.length).toBe(limits.deltaBlocksPerEpochMax + 1);
  });

  test('begins anew with the next epoch', () => {
    const { backend, put } = open();
    put(1, 1);
    backend.changes.writeCommit();
    backend.changes.committed();
    expect(blocksOf(backend)).toEqual([[['0:1=1']]]);
    backend.changes.epochCommitted(2);
    put(2, 2);
    expect(blocksOf(backend)).toEqual([[['0:2=2']]]);
  });
});
